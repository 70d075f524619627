import { explain, StoreError } from './errors.js'
import type { IdempotencyRecord } from './store.js'

/** A record as a store reads it: the members of all states, and of time what is left by the store's own clock. */
export interface KeptRecord {
  readonly fingerprint: string
  readonly attempt: number
  readonly token: string
  /** One that is none of the port's is refused. */
  readonly state: string
  readonly inDoubt: boolean
  /** In milliseconds, whole or not, negative when it is over. */
  readonly leaseMs: number
  /** In milliseconds, whole or not. */
  readonly lifeMs: number
  readonly progress: Uint8Array | null
  readonly result: Uint8Array | null
}

/**
 * For stores: the record as the port tells it. Remaining times are whole milliseconds, never negative, and 0 only when
 * they are over. Bytes are passed on, not copied. Throws a `StoreError` that is `unreadable` where the state is none.
 */
export const recordOf = (kept: KeptRecord): IdempotencyRecord => {
  const { fingerprint, attempt, token, state, inDoubt, result } = kept
  const remainingMs = whole(kept.lifeMs)
  // Empty progress is progress.
  const progress = kept.progress ? { progress: plainBytes(kept.progress) } : {}
  switch (state) {
    case 'in_flight': {
      const leaseRemainingMs = whole(kept.leaseMs)
      return { fingerprint, attempt, token, state, leaseRemainingMs, ...progress }
    }
    case 'completed': {
      const bytes = plainBytes(result ?? new Uint8Array())
      return { fingerprint, attempt, token, state, result: bytes, remainingMs }
    }
    case 'failed':
      return { fingerprint, attempt, token, state, inDoubt, remainingMs, ...progress }
    default:
      throw unreadableRecord(
        'the state of a record to be in_flight, completed or failed',
        `'${state}'`,
      )
  }
}

/** For stores: the error for something in the place of a record that cannot be read as one. */
export const unreadableRecord = (expected: string, got: string): StoreError =>
  new StoreError(
    'store-unavailable',
    explain('store-unavailable', expected, got, 'A record that cannot be read must not run again.'),
    { unreadable: true },
  )

/**
 * For stores: the bytes of what a driver gives, which is often a Buffer, whose `slice` and `toString` are not those of
 * a Uint8Array. They are not copied.
 */
export const plainBytes = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Never more than a number is exact to. */
const whole = (ms: number): number => Math.min(Math.max(0, Math.ceil(ms)), Number.MAX_SAFE_INTEGER)
