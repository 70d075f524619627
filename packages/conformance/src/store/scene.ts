import assert from 'node:assert/strict'
import type {
  Acquisition,
  Claim,
  IdempotencyRecord,
  IdempotencyStore,
  Lease,
} from '@retrysafe/core'

/**
 * Every duration that is to run out ends half a second away from where an `advance` arrives, so that a clock
 * that can only be waited for has that much room.
 */
export const long = 3_600_500

let tokens = 0

/** A claim on `recordKey` with a token of its own; an hour of lease and of retention unless told otherwise. */
export const claimOn = (
  recordKey: string,
  terms: Partial<Omit<Claim, 'recordKey'>> = {},
): Claim => ({
  recordKey,
  token: `token-${++tokens}`,
  fingerprint: 'print',
  leaseMs: long,
  retentionMs: long,
  takeover: false,
  ...terms,
})

/** The lease that a claim got. */
export const leaseOf = ({ recordKey, token }: Claim): Lease => ({ recordKey, token })

/** Bytes of a text, for results and progress. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Acquires, and insists on having acquired. */
export const acquires = async (
  store: IdempotencyStore,
  claim: Claim,
): Promise<Extract<Acquisition, { kind: 'acquired' }>> => {
  const acquisition = await store.acquire(claim)
  assert.equal(acquisition.kind, 'acquired', `${claim.recordKey} should have been acquired`)
  return acquisition as Extract<Acquisition, { kind: 'acquired' }>
}

/** Asks, and insists on having been shown the record that stands. */
export const finds = async (store: IdempotencyStore, claim: Claim): Promise<IdempotencyRecord> => {
  const acquisition = await store.acquire(claim)
  assert(acquisition.kind === 'exists', `${claim.recordKey} should not have been acquired`)
  return acquisition.record
}

/** Insists on a record in this state. */
export const inState = <State extends IdempotencyRecord['state']>(
  record: IdempotencyRecord | undefined,
  state: State,
): Extract<IdempotencyRecord, { state: State }> => {
  assert.equal(record?.state ?? 'absent', state)
  return record as Extract<IdempotencyRecord, { state: State }>
}
