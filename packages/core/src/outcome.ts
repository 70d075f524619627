import { asked, pause, withDeadline } from './deadline.js'
import { type IdempotencyError, StoreError } from './errors.js'
import type { IdempotencyStore, Lease, WriteResult } from './store.js'
import type { Ending } from './transaction.js'

/** How the writing of an ending came out; `given-up` when time was over before the store answered. */
export type Outcome = 'written' | 'stale' | 'given-up'

export interface OutcomeTerms {
  readonly store: IdempotencyStore
  readonly lease: Lease
  readonly storeTimeoutMs: number
  /** Whether to go on after a failed try. */
  readonly mayRetry: () => boolean
  /** Claims the record again under the same token, where the store has lost it. */
  readonly claimAgain: () => Promise<boolean>
  /** The result without its answer, for a store that has no room for the whole. */
  readonly notStored: () => Promise<Uint8Array>
  readonly onRetry: (error: IdempotencyError) => void
  readonly onFull: (error: IdempotencyError) => void
}

const firstPauseMs = 20
const longestPauseMs = 1_000

/**
 * Writes the ending until the store has taken it. Every try may have arrived although its answer did not: the
 * token makes the same write twice one write. Never rejects.
 */
export const writeEnding = async (ending: Ending, terms: OutcomeTerms): Promise<Outcome> => {
  let current = ending
  let pauseMs = firstPauseMs
  let claimedAgain = false
  for (;;) {
    try {
      const result = await withDeadline(
        asked(() => write(terms.store, terms.lease, current)),
        terms.storeTimeoutMs,
      )
      if (result === 'ok' || (result === 'gone' && current.verb === 'release')) return 'written'
      if (result === 'stale') return 'stale'
      // A store that loses what it has just taken is no better than one that fails: the tries need their pauses.
      if (claimedAgain) throw new StoreError('store-unavailable', 'The store loses the record.')
      if (!(await terms.claimAgain())) return 'stale'
      claimedAgain = true
    } catch (cause) {
      claimedAgain = false
      const error = cause as IdempotencyError
      if (error.code === 'store-full' && current === ending && current.verb === 'complete') {
        current = { ...current, result: await terms.notStored() }
        terms.onFull(error)
        continue
      }
      if (!terms.mayRetry()) return 'given-up'
      terms.onRetry(error)
      await pause(pauseMs)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
      if (!terms.mayRetry()) return 'given-up'
    }
  }
}

const write = (store: IdempotencyStore, lease: Lease, ending: Ending): Promise<WriteResult> => {
  switch (ending.verb) {
    case 'complete':
      return store.complete(lease, { result: ending.result, retentionMs: ending.retentionMs })
    case 'fail':
      return store.fail(lease, { retentionMs: ending.retentionMs, inDoubt: ending.inDoubt })
    case 'release':
      return store.release(lease)
  }
}
