import { type Claim, type IdempotencyRecord, reservedBytes } from '@retrysafe/core'

/** What the store keeps of one key. Never changed: each write puts another in its place. */
export type HeldRecord = {
  readonly recordKey: string
  readonly fingerprint: string
  readonly token: string
  readonly attempt: number
  /** On the store's clock, in milliseconds. From here on the record is absent. */
  readonly endsAt: number
  /** What it counts for in `maxBytes`. */
  readonly bytes: number
} & (
  | {
      readonly state: 'in_flight'
      readonly after: 'nothing' | 'failed' | 'abandoned'
      readonly leaseEndsAt: number
      readonly progress: Uint8Array | undefined
    }
  | { readonly state: 'completed'; readonly result: Uint8Array }
  | {
      readonly state: 'failed'
      readonly inDoubt: boolean
      readonly progress: Uint8Array | undefined
    }
)

/** A record somebody holds a lease of. */
export type HeldLease = Extract<HeldRecord, { state: 'in_flight' }>

/** A record that keeps a result: the only kind that `evict-completed` gives up. */
export type HeldResult = Extract<HeldRecord, { state: 'completed' }>

// The objects, their headers and their places in three collections, rounded up.
const overheadBytes = 512

const textBytes = (recordKey: string, fingerprint: string, token: string): number =>
  overheadBytes + 2 * (recordKey.length + fingerprint.length + token.length)

/** A copy that nobody else writes to. Not `slice()`, which shares memory where the array is a Buffer. */
export const copied = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** The record of a claim that has just been granted. */
export const begun = (
  claim: Claim,
  now: number,
  attempt: number,
  after: HeldLease['after'],
  progress: Uint8Array | undefined,
): HeldLease => ({
  state: 'in_flight',
  recordKey: claim.recordKey,
  fingerprint: claim.fingerprint,
  token: claim.token,
  attempt,
  after,
  leaseEndsAt: now + claim.leaseMs,
  endsAt: now + Math.max(claim.leaseMs, claim.retentionMs),
  progress,
  bytes: openBytes(claim, progress),
})

const openBytes = (
  { recordKey, fingerprint, token }: Pick<HeldRecord, 'recordKey' | 'fingerprint' | 'token'>,
  progress: Uint8Array | undefined,
): number =>
  textBytes(recordKey, fingerprint, token) + Math.max(reservedBytes, progress?.length ?? 0)

/** The lease restarted, with other progress where one is given; the life of the record never shortened. */
export const renewed = (
  held: HeldLease,
  leaseEndsAt: number,
  progress: Uint8Array | undefined,
): HeldLease => ({
  ...held,
  leaseEndsAt,
  endsAt: Math.max(held.endsAt, leaseEndsAt),
  ...(progress !== undefined && { progress, bytes: openBytes(held, progress) }),
})

/** The lease ended with a result. */
export const completed = (held: HeldLease, result: Uint8Array, endsAt: number): HeldResult => {
  const { recordKey, fingerprint, token, attempt } = held
  const bytes = textBytes(recordKey, fingerprint, token) + result.length
  return { state: 'completed', recordKey, fingerprint, token, attempt, endsAt, bytes, result }
}

/** The lease ended without a result. It counts as before, so that the next attempt needs no more room. */
export const failed = (held: HeldLease, inDoubt: boolean, endsAt: number): HeldRecord => {
  const { recordKey, fingerprint, token, attempt, progress, bytes } = held
  return {
    state: 'failed',
    recordKey,
    fingerprint,
    token,
    attempt,
    endsAt,
    bytes,
    inDoubt,
    progress,
  }
}

/** What the port shows of a record. Remaining times are whole milliseconds, and 0 only when they are over. */
export const shown = (held: HeldRecord, now: number): IdempotencyRecord => {
  const { fingerprint, attempt, token } = held
  const remainingMs = Math.ceil(held.endsAt - now)
  switch (held.state) {
    case 'in_flight': {
      const leaseRemainingMs = Math.max(0, Math.ceil(held.leaseEndsAt - now))
      const shared = { fingerprint, attempt, token, leaseRemainingMs, state: held.state }
      return held.progress !== undefined ? { ...shared, progress: copied(held.progress) } : shared
    }
    case 'completed':
      return {
        fingerprint,
        attempt,
        token,
        state: held.state,
        result: copied(held.result),
        remainingMs,
      }
    case 'failed': {
      const { state, inDoubt, progress } = held
      const shared = { fingerprint, attempt, token, state, inDoubt, remainingMs }
      return progress !== undefined ? { ...shared, progress: copied(progress) } : shared
    }
  }
}
