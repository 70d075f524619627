import type { Model, ModelWrite } from '../../../conformance/src/model.js'
import {
  abstracted,
  concrete,
  fingerprints,
  instants,
  numberOf,
  progress,
  records,
  result,
} from './abstract-record.js'
import { type Asked, rowOf, type Step, timeRows } from './contract-table.js'
import { holdInvariants } from './step-invariants.js'

/** A call, with the durations that it brings as the choice that they make. */
export type Call =
  | {
      readonly verb: 'acquire'
      readonly fingerprint: 0 | 1
      readonly takeover: boolean
      /** Whether the record is to outlive the lease. */
      readonly outlives: boolean
    }
  /** `isLong`: beyond the end that the record has. */
  | { readonly verb: 'renew'; readonly marks: boolean; readonly isLong: boolean }
  | { readonly verb: 'complete' }
  | { readonly verb: 'fail'; readonly inDoubt: boolean }
  | { readonly verb: 'release' }

/** What a caller hears; whether an acquisition came after nothing decides what one that claims again does. */
export type Heard = 'acquired' | 'acquired after another' | 'exists' | 'ok' | 'stale' | 'gone'

export interface RecordStep {
  readonly next: number
  /** Whose token stands then: whosever it was, the caller's own, or nobody's. */
  readonly token: 'kept' | 'own' | 'none'
  readonly heard: Heard
  readonly row: string
}

/** What time does to a record. */
export interface TimeStep {
  readonly next: number
  readonly row: string | undefined
}

const { now, leaseEnd, recordEnd } = instants
const own = 'own token'

const claimOf = ({ fingerprint, takeover, outlives }: Call & { verb: 'acquire' }) => ({
  recordKey: 'key',
  token: own,
  fingerprint: fingerprints[fingerprint],
  leaseMs: leaseEnd,
  retentionMs: outlives ? recordEnd : leaseEnd / 2,
  takeover,
})

const writeOf = (call: Exclude<Call, { verb: 'acquire' }>): ModelWrite => {
  switch (call.verb) {
    case 'renew': {
      const leaseMs = call.isLong ? recordEnd * 2 : leaseEnd / 2
      return { verb: 'renew', token: own, leaseMs, ...(call.marks ? { progress } : {}) }
    }
    case 'complete':
      return { verb: 'complete', token: own, result, retentionMs: recordEnd }
    case 'fail':
      return { verb: 'fail', token: own, inDoubt: call.inDoubt, retentionMs: recordEnd }
    case 'release':
      return { verb: 'release', token: own }
  }
}

const heardOf = ({ answer }: Step): Heard => {
  if (typeof answer === 'string') return answer
  if (answer.kind === 'exists') return 'exists'
  return answer.after === 'nothing' ? 'acquired' : 'acquired after another'
}

/**
 * The machine on abstract records. It has no rules of its own: each step is the model's, on a record that the abstract
 * one stands for, and is held against the invariants and against the table.
 */
export const recordSteps = (machine: Model) => {
  const make = (number: number, isOwn: boolean, call: Call): RecordStep => {
    const record = records[number]
    const held = record && concrete(record, isOwn ? own : 'token of another')
    const asked: Asked =
      call.verb === 'acquire'
        ? { held, now, verb: 'acquire', claim: claimOf(call) }
        : { held, now, verb: 'write', write: writeOf(call) }
    const made: Step =
      asked.verb === 'acquire'
        ? machine.acquire(held, asked.claim, now)
        : machine.write(held, asked.write, now)
    holdInvariants(asked, made)
    const row = rowOf(asked, made)
    const next = numberOf(abstracted(made.next, now))
    const isNowOwn = made.next?.token === own
    const token = next === 0 ? 'none' : isNowOwn && !isOwn ? 'own' : 'kept'
    return { next, token, heard: heardOf(made), row }
  }

  // What a call does follows from the record, whose token it is and the call, so each is taken and held once.
  const made = new Map<string, RecordStep>()
  const step: typeof make = (number, isOwn, call) => {
    const name = `${number} ${isOwn} ${JSON.stringify(call)}`
    const known = made.get(name) ?? make(number, isOwn, call)
    made.set(name, known)
    return known
  }

  /** The lease of what is in flight ends, and with it what does not outlive it. All else ends with its retention. */
  const pass = (number: number): TimeStep => {
    const record = records[number]
    if (!record) throw new Error('Nothing is there for time to end')
    const held = concrete(record, own)
    const isLive = record.state === 'in_flight' && record.lease === 'live'
    const later = isLive ? leaseEnd : recordEnd
    const next = numberOf(abstracted(held, later))
    const isGone = record.state !== 'in_flight' || !isLive || !record.outlivesLease
    if ((next === 0) !== isGone || (machine.read(held, later) === undefined) !== isGone)
      throw new Error('Broken: the record lives as long as its lease and its retention')
    const row = record.state === 'in_flight' ? timeRows.abandoned : timeRows.ended
    return { next, row: isGone ? row : undefined }
  }

  return { step, pass }
}

export type RecordSteps = ReturnType<typeof recordSteps>
