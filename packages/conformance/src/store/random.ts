/** Answers a whole number from 0 to below `below`. */
export type Random = (below: number) => number

/** mulberry32: small, seeded, and good enough to choose commands. The same seed gives the same numbers. */
export const randomFrom = (seed: number): Random => {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** One of the choices. */
export const pick = <Choice>(random: Random, choices: readonly Choice[]): Choice =>
  choices[random(choices.length)] as Choice
