import type { IdempotencyStore, StoreNotice } from '@retrysafe/core'
import type { ModelRecord } from '../model.js'
import { referenceStore, soundParts } from '../reference-store.js'

/** A verb of the port that a layer calls while requests are served. */
export type Verb = 'acquire' | 'renew' | 'complete' | 'fail' | 'release' | 'read'

/** What happens to a call of a verb. `go` is the call itself; it may be made late, more than once or never. */
export type Fault = <Answer>(go: () => Promise<Answer>) => Promise<Answer>

/** The store that layers of the suite work on: obvious, with a clock that is set, and faults by the verb. */
export interface SuiteStore {
  readonly store: IdempotencyStore
  /** What is kept, to look at or to spoil. Cleared, the store has lost everything. */
  readonly records: Map<string, ModelRecord>
  /** The faults that stand now. */
  readonly faults: { [verb in Verb]?: Fault }
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

export const suiteStore = (): SuiteStore => {
  let now = 0
  const parts = soundParts(() => now)
  const inner = referenceStore(parts)
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

  return {
    store: {
      acquire: striking('acquire', inner.acquire),
      renew: striking('renew', inner.renew),
      complete: striking('complete', inner.complete),
      fail: striking('fail', inner.fail),
      release: striking('release', inner.release),
      read: striking('read', inner.read),
      purgeExpired: inner.purgeExpired,
      watch: (_listener: (notice: StoreNotice) => void) => () => {},
      close: async () => {
        isClosed = true
        await inner.close()
      },
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
