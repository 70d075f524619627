import type { Answer } from './answer.js'
import { explain, IdempotencyError } from './errors.js'
import type { Emitter, Events } from './events.js'
import type { Engine } from './idempotency.js'
import type { StoredResult } from './record.js'
import type { Resolution } from './resolving.js'
import type { HttpResponse } from './response.js'

/** Which key an operator means. */
export interface KeyOf {
  /** Whose key it is; left out where all callers share one space (`scope: 'global'`). */
  readonly scope?: string
  readonly key: string
  /** The request's method and path, with `keyScope: 'route'`. */
  readonly method?: string
  readonly path?: string
}

/** What stands under a key. Durations are milliseconds on the store's clock. */
export type Inspection<Kept> =
  | { readonly state: 'absent' }
  /** `leaseRemainingMs` 0: the holder has given no sign of life; its attempt is abandoned. */
  | {
      readonly state: 'in_flight'
      readonly attempt: number
      readonly leaseRemainingMs: number
      readonly effectsMarked: boolean
    }
  /** `result` is `undefined` where it could not be kept. */
  | {
      readonly state: 'completed'
      readonly attempt: number
      readonly remainingMs: number
      readonly result: Kept | undefined
    }
  | {
      readonly state: 'failed'
      readonly attempt: number
      readonly remainingMs: number
      readonly inDoubt: boolean
      readonly effectsMarked: boolean
    }

/** What an operator has, of every layer alike. */
export interface Operations<Kept = HttpResponse, Given = Answer> {
  readonly events: Events
  /** What stands under a key. Rejects with `StoreError` where it cannot be read. */
  inspect(of: KeyOf): Promise<Inspection<Kept>>
  /**
   * Decides over a key that is in doubt or has failed: its retries get what is given, or run again. Changes
   * nothing, and says so, where the key is absent, in flight or completed.
   */
  resolve(of: KeyOf, word: Given | 'run-again'): Promise<Resolution>
  /** Removes expired records by hand, at most `limit` (1,000) of them; answers how many. */
  purgeExpired(limit?: number): Promise<number>
  /** Waits for what runs on the store, `graceMs` at most, then closes what the store has opened. */
  close(): Promise<void>
}

interface OperationTerms<Kept, Given> {
  readonly engine: Engine
  readonly emitter: Emitter
  /** Throws where the key is not named fully. */
  readonly recordKeyOf: (of: KeyOf) => string
  readonly kept: (result: StoredResult) => Kept | undefined
  /** Throws where what was given is nothing that can be kept. */
  readonly encode: (given: Given) => Uint8Array
}

export const createOperations = <Kept, Given>({
  engine,
  emitter,
  recordKeyOf,
  kept,
  encode,
}: OperationTerms<Kept, Given>): Operations<Kept, Given> => ({
  events: { on: emitter.on },
  inspect: async (of) => {
    const { record, result } = await engine.inspect(recordKeyOf(of))
    if (record === undefined) return { state: 'absent' }
    const { state, attempt } = record
    if (state === 'completed') {
      const { remainingMs } = record
      return { state, attempt, remainingMs, result: result && kept(result) }
    }
    const effectsMarked = (record.progress?.length ?? 0) > 0
    if (state === 'failed') {
      const { remainingMs, inDoubt } = record
      return { state, attempt, remainingMs, inDoubt, effectsMarked }
    }
    return { state, attempt, leaseRemainingMs: record.leaseRemainingMs, effectsMarked }
  },
  resolve: async (of, word) =>
    engine.resolve(
      recordKeyOf(of),
      of.scope,
      word === 'run-again' ? 'run-again' : encode(word as Given),
    ),
  purgeExpired: engine.purgeExpired,
  close: engine.close,
})

/** What an operator's call is refused with. */
export const wrongWord = (expected: string, why: string): IdempotencyError =>
  new IdempotencyError('option-invalid', explain('option-invalid', expected, 'something else', why))
