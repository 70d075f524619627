import type { Acquisition, Claim, Lease, WriteResult } from '@retrysafe/core'
import { isExpired, progressOf, type RecordRow, refuseState, toRecord } from './record-row.js'

/** What becomes of a claim: nothing stands in its way, it takes over what stands, or it is answered. */
export type ClaimDecision =
  | { readonly kind: 'insert' }
  | { readonly kind: 'take-over'; readonly row: RecordRow; readonly after: 'failed' | 'abandoned' }
  | { readonly kind: 'answer'; readonly acquisition: Acquisition }

/** Decides a claim on what was read. Made once before the write lock is had, to spare it, and again under it. */
export const decideClaim = (
  row: RecordRow | undefined,
  claim: Claim,
  now: number,
): ClaimDecision => {
  if (!row || isExpired(row, now)) return { kind: 'insert' }
  if (row.fingerprint !== claim.fingerprint) return exists(row, now)
  switch (row.state) {
    case 'completed':
      return exists(row, now)
    case 'failed':
      return row.in_doubt === 1 && !claim.takeover
        ? exists(row, now)
        : { kind: 'take-over', row, after: 'failed' }
    case 'in_flight':
      if (row.token === claim.token) return acquiredAgain(row)
      return row.lease_ends_at > now || !claim.takeover
        ? exists(row, now)
        : { kind: 'take-over', row, after: 'abandoned' }
    default:
      return refuseState(row.state)
  }
}

const exists = (row: RecordRow, now: number): ClaimDecision => ({
  kind: 'answer',
  acquisition: { kind: 'exists', record: toRecord(row, now) },
})

const acquiredAgain = (row: RecordRow): ClaimDecision => ({
  kind: 'answer',
  acquisition: { kind: 'acquired', attempt: row.attempt, after: row.after, ...progressOf(row) },
})

/** What to answer a write that has changed no row: `ok` where it is `sameAsBefore`, the first answer having been lost. */
export const decideMissedWrite = (
  row: RecordRow | undefined,
  lease: Lease,
  now: number,
  sameAsBefore: (row: RecordRow) => boolean,
): WriteResult => {
  if (!row || isExpired(row, now)) return 'gone'
  return row.token === lease.token && sameAsBefore(row) ? 'ok' : 'stale'
}
