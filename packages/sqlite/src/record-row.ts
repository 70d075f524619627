import { explain, type IdempotencyRecord, StoreError } from '@retrysafe/core'

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

/** From now to an instant, never negative, never more than a number is exact to. */
const remaining = (instant: number, now: number): number =>
  Math.min(Math.max(0, instant - now), Number.MAX_SAFE_INTEGER)

/** The record as the port tells it. */
export const toRecord = (row: RecordRow, now: number): IdempotencyRecord => {
  const { fingerprint, attempt, token } = row
  const remainingMs = remaining(row.expires_at, now)
  switch (row.state) {
    case 'in_flight':
      return {
        fingerprint,
        attempt,
        token,
        state: 'in_flight',
        leaseRemainingMs: remaining(row.lease_ends_at, now),
        ...progressOf(row),
      }
    case 'completed':
      return {
        fingerprint,
        attempt,
        token,
        state: 'completed',
        result: plainBytes(row.result ?? new Uint8Array()),
        remainingMs,
      }
    case 'failed':
      return {
        fingerprint,
        attempt,
        token,
        state: 'failed',
        inDoubt: row.in_doubt === 1,
        remainingMs,
        ...progressOf(row),
      }
    default:
      return refuseState(row.state)
  }
}

/** Refuses a record whose state this code does not know: it may not run, whatever it means. */
export const refuseState = (state: never): never => {
  throw new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      'the state of a record to be in_flight, completed or failed',
      `'${state}'`,
      'A record that cannot be read must not run again.',
    ),
    { unreadable: true },
  )
}

/** The progress, or no member at all. Empty progress is progress. */
export const progressOf = ({ progress }: RecordRow): { readonly progress?: Uint8Array } =>
  progress ? { progress: plainBytes(progress) } : {}

/** The driver gives Buffers, whose `slice` and `toString` are not those of a Uint8Array. The bytes are not copied. */
const plainBytes = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
