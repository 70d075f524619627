import assert from 'node:assert/strict'
import type { Acquisition, IdempotencyRecord } from '@retrysafe/core'

/** How far what remains of a duration may be off, in milliseconds: a clock that is waited for is never exact. */
const tolerance = 499

/** What remains of a duration is what it should be; 0 is exact, it says that a lease is over. */
export const sameRemaining = (actual: number, expected: number): void => {
  const isSame = expected === 0 ? actual === 0 : Math.abs(actual - expected) <= tolerance
  assert(isSame && (expected === 0 || actual > 0), `${actual} ms remain, expected ${expected} ms`)
}

/** Both are the same bytes, of whatever kind of array; or neither is there. */
export const sameBytes = (
  actual: Uint8Array | undefined,
  expected: Uint8Array | undefined,
  what = 'bytes',
): void => {
  if (!actual || !expected) {
    assert.equal(actual !== undefined, expected !== undefined, `${what}: there or not`)
    return
  }
  assert.equal(actual.length, expected.length, `${what}: length`)
  assert(Buffer.compare(actual, expected) === 0, `${what}: other bytes of the same length`)
}

/** Both records say the same, or both are absent; what remains of their durations may differ a little. */
export const sameRecord = (
  actual: IdempotencyRecord | undefined,
  expected: IdempotencyRecord | undefined,
): void => {
  assert.deepEqual(outline(actual), outline(expected))
  if (!actual || !expected) return
  sameRemaining(remaining(actual), remaining(expected))
  sameBytes(contents(actual), contents(expected), expected.state)
}

/** Both acquisitions say the same. */
export const sameAcquisition = (actual: Acquisition, expected: Acquisition): void => {
  assert.equal(actual.kind, expected.kind)
  if (actual.kind === 'exists' && expected.kind === 'exists')
    sameRecord(actual.record, expected.record)
  if (actual.kind === 'acquired' && expected.kind === 'acquired') {
    assert.deepEqual([actual.attempt, actual.after], [expected.attempt, expected.after])
    sameBytes(actual.progress, expected.progress, 'progress')
  }
}

const outline = (record: IdempotencyRecord | undefined) =>
  record && {
    state: record.state,
    fingerprint: record.fingerprint,
    attempt: record.attempt,
    token: record.token,
    inDoubt: record.state === 'failed' ? record.inDoubt : undefined,
  }

const remaining = (record: IdempotencyRecord): number =>
  record.state === 'in_flight' ? record.leaseRemainingMs : record.remainingMs

const contents = (record: IdempotencyRecord): Uint8Array | undefined =>
  record.state === 'completed' ? record.result : record.progress
