import { type Model, model } from '../../../conformance/src/model.js'
import { records } from './abstract-record.js'
import { type Caller, idle, owns } from './caller.js'
import { canComplete } from './can-complete.js'
import { stateSet } from './state-set.js'
import { type Bounds, transitions } from './transitions.js'
import { type World, worldNames } from './world-names.js'

/** What an enumeration has met. */
export interface Enumeration {
  readonly bounds: Bounds
  /** Up to the names of callers, fingerprints and keys. */
  readonly states: number
  /** With each of these names told from the others. */
  readonly namedStates: number
  readonly transitions: number
  /** How often a transition has taken each row of the contract's table. */
  readonly rows: ReadonlyMap<string, number>
  readonly tookMs: number
}

/**
 * Walks every reachable state, breadth first. Throws at the first invariant that is broken, and at the first step that
 * is not the table's, with a shortest way there.
 */
export const enumerate = (bounds: Bounds, machine: Model = model): Enumeration => {
  const startedAt = performance.now()
  const { each, numbering, steps } = transitions(bounds, machine)
  const names = worldNames(numbering, bounds.keys, bounds.callers)
  const states = stateSet()
  const rows = new Map<string, number>()
  const parents: number[] = []
  let count = 0
  let namedStates = 0

  const isOwner = (caller: number, key: number) => owns(numbering.callers[caller] as Caller, key)
  const holdState = (world: World): void => {
    for (let key = 0; key < bounds.keys; key++) {
      const owners = Array.from(world.callers).filter((caller) => isOwner(caller, key))
      if (owners.length > (world.records[key] === 0 ? 0 : 1))
        throw new Error('Broken: at most one token that the record accepts, and none when absent')
    }
  }

  const visit = (world: World, from: number): void => {
    if (!states.add(names.nameOf(world))) return
    parents.push(from)
    namedStates += names.countOf(world)
    holdState(world)
  }

  const expand = (index: number): void =>
    each(names.worldOf(states.at(index)), (_, row, next) => {
      count++
      if (row !== undefined) rows.set(row, (rows.get(row) ?? 0) + 1)
      visit(next, index)
    })

  /** What happened between two states that follow each other. */
  const labelTo = (index: number): string => {
    let found = ''
    each(names.worldOf(states.at(parents[index] as number)), (label, _, next) => {
      if (names.nameOf(next) === states.at(index)) found ||= label
    })
    return found
  }

  const wayTo = (last: number): string[] => {
    const way: string[] = []
    for (let index = last; index !== 0; index = parents[index] as number)
      way.unshift(`  ${labelTo(index)}: ${names.shown(names.worldOf(states.at(index)))}`)
    return way
  }

  visit(
    {
      records: Array(bounds.keys).fill(0),
      callers: Array(bounds.callers).fill(numbering.numberOf(idle)),
    },
    0,
  )
  for (let index = 0; index < states.size; index++) {
    try {
      expand(index)
    } catch (cause) {
      const broken = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`${broken}\n${wayTo(index).join('\n')}`, { cause })
    }
  }
  for (let record = 0; record < records.length; record++) canComplete(steps, record)
  const tookMs = performance.now() - startedAt
  return { bounds, states: states.size, namedStates, transitions: count, rows, tookMs }
}
