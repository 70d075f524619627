import {
  type Ending,
  IdempotencyError,
  type IdempotencyStore,
  type Lease,
  type Rollback,
  StoreError,
  type StoreNotice,
  transactionSide,
  type WriteResult,
} from '@retrysafe/core'
import type { ModelRecord } from '../model.js'
import { referenceStore, soundParts } from '../reference-store.js'
import { mirroredStore } from './mirrored-store.js'

/** A verb of the port that a layer calls while requests are served. */
export type Verb = 'acquire' | 'renew' | 'complete' | 'fail' | 'release' | 'read'

/** What happens to a call of a verb. `go` is the call itself; it may be made late, more than once or never. */
export type Fault = <Answer>(go: () => Promise<Answer>) => Promise<Answer>

/** A new store for the layers of one application, on a clock that the suite sets: milliseconds, whole. */
export type OpenStore = (now: () => number) => IdempotencyStore

/** The store that layers of the suite work on, with a clock that is set, and faults by the verb. */
export interface SuiteStore {
  readonly store: IdempotencyStore
  /** What is kept, to look at or to spoil. Cleared, the store has lost everything. */
  readonly records: Map<string, ModelRecord>
  /** Commits what the work returns as the answer together with the record, or nothing of both. */
  transaction<Given>(execution: object, work: () => Given): Promise<Given>
  /** The faults that stand now; `commit` is that of a transaction. */
  readonly faults: { [verb in Verb | 'commit']?: Fault }
  /** The clock of leases and retention goes on. Nothing else makes it go. */
  advance(ms: number): void
  /** How often a verb was called. */
  calls(verb: Verb): number
  readonly isClosed: () => boolean
}

/** The fault of a store that is out of reach. */
export const down: Fault = async () => {
  throw new Error('connection refused')
}

/** The fault of a network that loses answers: the store has done what was asked. */
export const lostAnswer: Fault = async (go) => {
  await go()
  throw new Error('connection reset')
}

/** A fault that strikes the first so many calls; later ones go through. */
export const firstOnly = (times: number, fault: Fault): Fault => {
  let struck = 0
  return (go) => (struck++ < times ? fault(go) : go())
}

/** @param open Without it the store is the reference one, which is obvious. */
export const suiteStore = (open?: OpenStore): SuiteStore => {
  // A store on a wall clock knows no time before its files.
  let now = open ? 1_700_000_000_000 : 0
  const parts = soundParts(() => now)
  const inner = open
    ? mirroredStore(
        open(() => now),
        parts,
      )
    : referenceStore(parts)
  const faults: SuiteStore['faults'] = {}
  const called = new Map<Verb, number>()
  let isClosed = false

  const striking =
    <Terms extends unknown[], Answer>(verb: Verb, call: (...terms: Terms) => Promise<Answer>) =>
    (...terms: Terms): Promise<Answer> => {
      called.set(verb, (called.get(verb) ?? 0) + 1)
      const go = () => call(...terms)
      return faults[verb]?.(go) ?? go()
    }

  const ended = async (lease: Lease, ending: Ending): Promise<void> => {
    const write: Record<Ending['verb'], () => Promise<WriteResult>> = {
      complete: () => inner.complete(lease, ending as Ending & { verb: 'complete' }),
      fail: () => inner.fail(lease, ending as Ending & { verb: 'fail' }),
      release: () => inner.release(lease),
    }
    if ((await write[ending.verb]()) !== 'ok') throw new Error('the record has changed')
  }

  return {
    store: {
      acquire: striking('acquire', inner.acquire),
      renew: striking('renew', inner.renew),
      complete: striking('complete', inner.complete),
      fail: striking('fail', inner.fail),
      release: striking('release', inner.release),
      read: striking('read', inner.read),
      ...(inner.changed && { changed: inner.changed }),
      purgeExpired: inner.purgeExpired,
      watch: (_listener: (notice: StoreNotice) => void) => () => {},
      close: async () => {
        isClosed = true
        await inner.close()
      },
    },
    transaction: async (execution, work) => {
      const side = transactionSide(execution)
      let reason: Rollback = 'failed'
      try {
        side.begin()
        const record = side.lease && (await inner.read(side.lease.recordKey))
        const isOurs = record?.token === side.lease?.token && record?.state === 'in_flight'
        if (side.lease && !isOurs) {
          reason = record ? 'stale' : 'gone'
          throw lost(reason)
        }
        const given = work()
        const { lease } = side
        if (lease) {
          const ending = side.ending(given)
          const commit = () => ended(lease, ending)
          await (faults.commit?.(commit) ?? commit())
        }
        side.committed(given)
        return given
      } catch (error) {
        side.rolledBack(reason)
        throw error
      }
    },
    records: parts.records,
    faults,
    advance: (ms) => {
      now += ms
    },
    calls: (verb) => called.get(verb) ?? 0,
    isClosed: () => isClosed,
  }
}

const lost = (reason: 'stale' | 'gone'): IdempotencyError =>
  reason === 'stale'
    ? new IdempotencyError('lease-lost', 'another holds the key')
    : new StoreError('store-unavailable', 'the record is gone')
