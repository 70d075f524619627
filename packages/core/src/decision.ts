import { compareFingerprints, type EarlierFingerprint } from './fingerprint.js'
import type { Acquisition } from './store.js'

/** What is to be done with a claim, told from the store's answer alone. */
export type Decision =
  | {
      readonly kind: 'execute'
      readonly attempt: number
      readonly after: 'nothing' | 'failed' | 'abandoned'
      readonly progress: Uint8Array | undefined
    }
  | { readonly kind: 'replay'; readonly result: Uint8Array; readonly attempt: number }
  | { readonly kind: 'mismatch'; readonly attempt: number }
  | { readonly kind: 'in-flight'; readonly retryAfterMs: number; readonly attempt: number }
  | { readonly kind: 'doubt'; readonly attempt: number }
  | { readonly kind: 'unreadable' }
  /** The record is the same request under another form of its fingerprint, or an earlier one: claim it by that. */
  | { readonly kind: 'again'; readonly fingerprint: string; readonly attempt: number }

export interface DecisionTerms {
  readonly fingerprint: string
  /** The same request under earlier settings. */
  readonly earlier?: EarlierFingerprint | undefined
  readonly takeover: boolean
  /** What a duplicate in flight is told; the rest of the lease, where that is less. */
  readonly retryAfterMs: number
}

export const decide = (acquisition: Acquisition, terms: DecisionTerms): Decision => {
  if (acquisition.kind === 'acquired') {
    const { attempt, after, progress } = acquisition
    return { kind: 'execute', attempt, after, progress }
  }
  const { record } = acquisition
  const { attempt } = record
  const compared = compareFingerprints(terms.fingerprint, record.fingerprint, terms.earlier)
  // Before everything else: who comes with another request learns nothing of the first.
  if (compared === 'unreadable') return { kind: 'unreadable' }
  if (compared === 'different') return { kind: 'mismatch', attempt }
  switch (record.state) {
    case 'completed':
      return { kind: 'replay', result: record.result, attempt }
    case 'in_flight':
      if (record.leaseRemainingMs > 0) {
        const retryAfterMs = Math.min(terms.retryAfterMs, record.leaseRemainingMs)
        return { kind: 'in-flight', retryAfterMs, attempt }
      }
      break
    case 'failed':
      if (!record.inDoubt) return { kind: 'again', fingerprint: record.fingerprint, attempt }
      break
  }
  return terms.takeover
    ? { kind: 'again', fingerprint: record.fingerprint, attempt }
    : { kind: 'doubt', attempt }
}
