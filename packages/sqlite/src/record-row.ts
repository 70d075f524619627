import { type IdempotencyRecord, plainBytes, recordOf, unreadableRecord } from '@retrysafe/core'

/** A row of `retrysafe_records`, as it is read. Instants are milliseconds of the wall clock. */
export interface RecordRow {
  readonly token: string
  readonly fingerprint: string
  readonly state: 'in_flight' | 'completed' | 'failed'
  readonly attempt: number
  /** What the attempt in flight came after; kept, because its holder may ask again. */
  readonly after: 'nothing' | 'failed' | 'abandoned'
  readonly in_doubt: number
  readonly lease_ends_at: number
  readonly expires_at: number
  readonly progress: Uint8Array | null
  readonly result: Uint8Array | null
}

/** Whether the record counts as absent, purged or not. */
export const isExpired = (row: RecordRow, now: number): boolean => row.expires_at <= now

/**
 * The instant so many milliseconds from now. With a duration close to 2^53 the sum is exact to 2 ms only; the
 * columns hold 63 bits, so nothing overflows.
 */
export const instantAfter = (now: number, durationMs: number): number => now + durationMs

/** The record as the port tells it. */
export const toRecord = (row: RecordRow, now: number): IdempotencyRecord =>
  recordOf({
    ...row,
    inDoubt: row.in_doubt === 1,
    leaseMs: row.lease_ends_at - now,
    lifeMs: row.expires_at - now,
  })

/** Refuses a record whose state this code does not know: it may not run, whatever it means. */
export const refuseState = (state: never): never => {
  throw unreadableRecord('the state of a record to be in_flight, completed or failed', `'${state}'`)
}

/** The progress, or no member at all. Empty progress is progress. */
export const progressOf = ({ progress }: RecordRow): { readonly progress?: Uint8Array } =>
  progress ? { progress: plainBytes(progress) } : {}
