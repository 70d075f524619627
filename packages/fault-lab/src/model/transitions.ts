import type { Model } from '../../../conformance/src/model.js'
import { type Caller, callerNumbers, disowned } from './caller.js'
import { lateMoves, type Move, phaseMoves } from './caller-moves.js'
import { recordSteps } from './record-steps.js'
import type { World } from './world-names.js'

/** What is enumerated. */
export interface Bounds {
  readonly keys: 1 | 2
  readonly callers: number
  /** How many calls may be under way at one time that nobody waits for. */
  readonly lateCalls: number
  /** Whether holders may mark their progress. */
  readonly progress: boolean
}

/** Takes a transition: what happens, the row of the contract's table, and the world then, which is overwritten after it. */
export type Take = (label: string, row: string | undefined, next: World) => void

/** A move as the walk takes it: callers by number, and what it does to everybody else. */
interface Taken {
  readonly label: string
  readonly caller: number
  readonly late: number
  readonly key: number
  /** -1: no call arrives. */
  readonly record: number
  readonly disowns: boolean
  readonly row: string | undefined
}

/** Everything that can happen in a world: to callers, on the network, with time and to records. */
export const transitions = (bounds: Bounds, machine: Model) => {
  const steps = recordSteps(machine)
  const terms = { ...bounds, steps, lateCalls: bounds.lateCalls > 0 }
  const numbering = callerNumbers()
  const { callers, numberOf } = numbering
  const callerOf = (number: number) => callers[number] as Caller

  const cached = <Made>(make: (one: number, other: number) => Made) => {
    const made: Made[][] = []
    return (one: number, other: number): Made => {
      made[one] ??= []
      const row = made[one] as Made[]
      row[other] ??= make(one, other)
      return row[other] as Made
    }
  }
  const lateOf = cached((caller, _) => (callerOf(caller).late ? 1 : 0))
  const disownedBy = cached((caller, key) => numberOf(disowned(callerOf(caller), key)))

  // Where it makes no difference which durations a call brings, it is one transition.
  const distinct = (from: number, moves: readonly Move[]): readonly Taken[] => {
    const found = new Map<string, Taken>()
    for (const { label, caller, arrives } of moves) {
      const to = numberOf(caller)
      const taken: Taken = {
        label,
        caller: to,
        late: lateOf(to, 0) - lateOf(from, 0),
        key: arrives?.key ?? 0,
        record: arrives?.next ?? -1,
        disowns: arrives !== undefined && arrives.token !== 'kept',
        row: arrives?.row,
      }
      found.set(JSON.stringify(taken), taken)
    }
    return [...found.values()]
  }
  const ofPhase = cached((caller, record) =>
    distinct(caller, phaseMoves(callerOf(caller), record, terms)),
  )
  const ofLate = cached((caller, record) =>
    distinct(caller, lateMoves(callerOf(caller), record, terms)),
  )
  const timeOf = cached((record, _) => steps.pass(record))

  const next = { records: new Int32Array(bounds.keys), callers: new Int32Array(bounds.callers) }

  const start = (world: World): void => {
    for (let key = 0; key < bounds.keys; key++) next.records[key] = world.records[key] as number
    for (let at = 0; at < bounds.callers; at++) next.callers[at] = world.callers[at] as number
  }

  const disown = (key: number, but: number): void => {
    for (let at = 0; at < bounds.callers; at++)
      if (at !== but) next.callers[at] = disownedBy(next.callers[at] as number, key)
  }

  const takeAll = (world: World, at: number, moves: readonly Taken[], take: Take, late: number) => {
    for (const move of moves) {
      if (late + move.late > bounds.lateCalls) continue
      start(world)
      next.callers[at] = move.caller
      if (move.record !== -1) next.records[move.key] = move.record
      if (move.disowns) disown(move.key, at)
      take(move.label, move.row, next)
    }
  }

  const each = (world: World, take: Take): void => {
    let late = 0
    for (let at = 0; at < bounds.callers; at++) late += lateOf(world.callers[at] as number, 0)
    for (let at = 0; at < bounds.callers; at++) {
      const caller = world.callers[at] as number
      // One that is as another does what the other does.
      if (at > 0 && world.callers[at - 1] === caller) continue
      const { phase, late: call } = callerOf(caller)
      const record = phase.kind === 'idle' ? 0 : (world.records[phase.key] as number)
      takeAll(world, at, ofPhase(caller, record), take, late)
      if (call) takeAll(world, at, ofLate(caller, world.records[call.key] as number), take, late)
    }
    for (let key = 0; key < bounds.keys; key++) {
      const record = world.records[key] as number
      if (record === 0) continue
      const passed = timeOf(record, 0)
      start(world)
      next.records[key] = passed.next
      if (passed.next === 0) disown(key, -1)
      take('time passes', passed.row, next)
      start(world)
      next.records[key] = 0
      disown(key, -1)
      take('the record is lost', undefined, next)
    }
  }

  return { each, numbering, steps }
}
