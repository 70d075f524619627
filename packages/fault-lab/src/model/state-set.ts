/** States as numbers, in the order in which they were added. Made for millions: twelve bytes a state, and half as much of slots again. */
export interface StateSet {
  readonly size: number
  /** Whether it was not there yet. */
  add(state: number): boolean
  at(index: number): number
}

const empty = 0xffff_ffff

const slotOf = (state: number, mask: number): number => {
  let mixed = Math.imul(state >>> 0, 0x9e37_79b1) ^ Math.imul((state / 2 ** 32) >>> 0, 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d)
  return (mixed ^ (mixed >>> 13)) & mask
}

/** An empty set of states. A state is a whole number below 2^53. */
export const stateSet = (): StateSet => {
  let states = new Float64Array(1 << 12)
  let slots = new Uint32Array(1 << 13).fill(empty)
  let size = 0

  const findSlot = (state: number): number => {
    const mask = slots.length - 1
    let slot = slotOf(state, mask)
    for (;;) {
      const index = slots[slot] as number
      if (index === empty || states[index] === state) return slot
      slot = (slot + 1) & mask
    }
  }

  const grow = (): void => {
    const larger = new Float64Array(states.length * 2)
    larger.set(states)
    states = larger
    slots = new Uint32Array(states.length * 2).fill(empty)
    for (let index = 0; index < size; index++) slots[findSlot(states[index] as number)] = index
  }

  return {
    get size() {
      return size
    },
    add(state) {
      const slot = findSlot(state)
      if (slots[slot] !== empty) return false
      states[size] = state
      slots[slot] = size++
      if (size === states.length) grow()
      return true
    },
    at: (index) => states[index] as number,
  }
}
