import { records, withOtherFingerprint } from './abstract-record.js'
import { type Caller, type callerNumbers, withOtherFingerprints, withOtherKeys } from './caller.js'

/** The records of the keys and the callers, by number. */
export interface World {
  readonly records: ArrayLike<number>
  readonly callers: ArrayLike<number>
}

const recordBase = 128
const callerBase = 4096

/**
 * The one name of a world and of all that differ from it by what bears which name: who is which caller, which
 * fingerprint is which, for each key, and which key is which. No step and no invariant asks for these names, so
 * worlds that differ by them alone have the same futures, and one of them stands for all.
 */
export const worldNames = (
  { numberOf, callers }: ReturnType<typeof callerNumbers>,
  keys: 1 | 2,
  callerCount: number,
) => {
  const renaming = (rename: (caller: Caller) => Caller) => {
    const known: number[] = []
    return (number: number): number => {
      known[number] ??= numberOf(rename(callers[number] as Caller))
      return known[number] as number
    }
  }
  const flips = [0, 1].map((key) => renaming((caller) => withOtherFingerprints(caller, key)))
  const flip = (caller: number, key: number) => (flips[key] as (caller: number) => number)(caller)
  const exchange = renaming(withOtherKeys)
  const other = (record: number) => withOtherFingerprint[record] as number

  const inOrder = new Int32Array(callerCount)
  const code = ({ records, callers }: World): number => {
    let state = 0
    for (let key = 0; key < keys; key++) state = state * recordBase + (records[key] as number)
    for (let at = 0; at < callerCount; at++) {
      const caller = callers[at] as number
      let place = at
      for (; place > 0 && (inOrder[place - 1] as number) > caller; place--)
        inOrder[place] = inOrder[place - 1] as number
      inOrder[place] = caller
    }
    for (let at = 0; at < callerCount; at++) state = state * callerBase + (inOrder[at] as number)
    return state
  }

  const mapped = { records: new Int32Array(keys), callers: new Int32Array(callerCount) }
  /** The code under other names: fingerprints are exchanged where `flips` says so, key by key, and then the keys. */
  const renamedCode = (world: World, flips: number, isExchanged: boolean): number => {
    for (let key = 0; key < keys; key++) {
      const record = world.records[key] as number
      mapped.records[isExchanged ? keys - 1 - key : key] =
        (flips >> key) & 1 ? other(record) : record
    }
    for (let at = 0; at < callerCount; at++) {
      let caller = world.callers[at] as number
      for (let key = 0; key < keys; key++) if ((flips >> key) & 1) caller = flip(caller, key)
      mapped.callers[at] = isExchanged ? exchange(caller) : caller
    }
    return code(mapped)
  }

  const everyName = (world: World): number[] =>
    Array.from({ length: 2 ** keys }, (_, flips) => flips).flatMap((flips) =>
      [false, true].slice(0, keys).map((isExchanged) => renamedCode(world, flips, isExchanged)),
    )

  /** The least name. The numbers of the records come first in it: where they differ they say what is to be exchanged. */
  const leastName = (world: World): number => {
    let flips = 0
    let freeFlips = 0
    const least = [0, 0]
    for (let key = 0; key < keys; key++) {
      const record = world.records[key] as number
      least[key] = Math.min(record, other(record))
      if (least[key] !== record) flips |= 1 << key
      if (other(record) === record) freeFlips |= 1 << key
    }
    const [first, second] = least as [number, number]
    const isFree = keys === 2 && first === second
    const isExchanged = keys === 2 && first > second
    let name = Number.POSITIVE_INFINITY
    for (let more = freeFlips; ; more = (more - 1) & freeFlips) {
      name = Math.min(name, renamedCode(world, flips | more, isExchanged))
      if (isFree) name = Math.min(name, renamedCode(world, flips | more, true))
      if (more === 0) return name
    }
  }

  return {
    nameOf: leastName,

    worldOf: (name: number): World => {
      let rest = name
      const take = (base: number): number => {
        const taken = rest % base
        rest = (rest - taken) / base
        return taken
      }
      const found = Array.from({ length: callerCount }, () => take(callerBase)).reverse()
      return {
        records: Array.from({ length: keys }, () => take(recordBase)).reverse(),
        callers: found,
      }
    },

    /** For how many worlds it stands. */
    countOf: (world: World): number => {
      const met = new Map<number, number>()
      let orders = 1
      Array.from(world.callers).forEach((caller, at) => {
        const same = (met.get(caller) ?? 0) + 1
        met.set(caller, same)
        orders = (orders * (at + 1)) / same
      })
      return orders * new Set(everyName(world)).size
    },

    /** For a terminal. */
    shown: (world: World): string =>
      [
        ...Array.from(world.records, (record) => records[record] ?? 'absent'),
        ...Array.from(world.callers, (caller) => callers[caller]),
      ]
        .map((part) => JSON.stringify(part))
        .join(' '),
  }
}
