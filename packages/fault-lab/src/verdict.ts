import type { Outcome } from './kill-loop.js'
import { places } from './kill-point.js'
import type { Answer } from './sender.js'

/** What is to be told of a loop. */
export interface Findings {
  readonly keys: number
  readonly effects: number
  /** Keys that have taken effect more than once. */
  readonly doubled: readonly string[]
  /** Keys that were answered and have not taken effect, and effects of keys that nobody sent. */
  readonly astray: readonly string[]
  /** Keys that were answered in two ways, or in a way that no run of the handler answers. */
  readonly unlike: readonly string[]
  /** Keys whose last retry was not answered with what had been acknowledged. */
  readonly lost: readonly string[]
}

export const findingsOf = ({ answers, last, effects }: Outcome): Findings => {
  const keys = [...answers.keys()]
  return {
    keys: keys.length,
    effects: [...effects.values()].reduce((sum, count) => sum + count, 0),
    doubled: keys.filter((key) => (effects.get(key) ?? 0) > 1),
    astray: [
      ...keys.filter((key) => !effects.has(key)),
      ...[...effects.keys()].filter((key) => !answers.has(key)),
    ],
    unlike: keys.filter((key) => {
      const given = answers.get(key) ?? []
      return new Set(given.map(textOf)).size !== 1 || given.some(({ status }) => status !== 201)
    }),
    lost: keys.filter((key) => {
      const [first] = answers.get(key) ?? []
      const again = last.get(key)
      return !first || !again?.replayed || textOf(first) !== textOf(again)
    }),
  }
}

const textOf = ({ status, body }: Answer): string => `${status} ${body}`

/**
 * Everything that does not hold, a line each. The lease alone promises no single effect where processes are killed:
 * there a second one is a finding, and no fault.
 */
export const faultsOf = (outcome: Outcome): string[] => {
  const { planned, hits, terms } = outcome
  const { doubled, astray, unlike, lost } = findingsOf(outcome)
  const faults = (what: string, keys: readonly string[]): string[] =>
    keys.length === 0 ? [] : [`${what}: ${keys.slice(0, 10).join(', ')} (${keys.length})`]
  return [
    ...[...planned]
      .filter(([place, count]) => (hits.get(place) ?? 0) < count)
      .map(([place]) => `Not hit as often as planned: ${places[place].where}`),
    ...(terms.means === 'transaction' || terms.kills === 0
      ? faults('More than one effect', doubled)
      : []),
    ...faults('No effect, or nobody asked for it', astray),
    ...faults('Answered in two ways, or wrongly', unlike),
    ...faults('An acknowledged answer is lost', lost),
  ]
}
