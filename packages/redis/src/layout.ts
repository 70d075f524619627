import { explain, type IdempotencyRecord, StoreError } from '@retrysafe/core'

/**
 * A record is one string: a head of fixed size, the token, the fingerprint, and then the progress or the result. A
 * string costs a fifth less memory than a hash, and its head can be read and written in its place, however long the
 * result is (docs/decisions/redis-records.md).
 *
 * The head, numbers with the highest byte first:
 *
 * | at | what |
 * |---|---|
 * | 0 | version, `1` |
 * | 1 | state: `i` in flight, `c` completed, `f` failed, `d` failed and in doubt |
 * | 2 | what the attempt came after: `n` nothing, `f` a failed one, `a` an abandoned one |
 * | 3 | `1` where somebody waits for the end of the attempt, else `0` |
 * | 4 | `1` where there is progress, else `0` |
 * | 5 | margin: how long the key lives past the lease, in milliseconds, a double |
 * | 13 | attempt, 4 bytes |
 * | 17 | length of the token in bytes, 2 bytes |
 * | 19 | length of the fingerprint in bytes, 4 bytes |
 *
 * Redis ends the record itself, when its key's time to live is over. The lease ends by the same clock, since all
 * that is kept of it is its distance to that end: nothing here has a clock of its own, and moving a key to another
 * server moves its lease with it.
 */
export const layout = {
  version: '1',
  /** For Lua's `struct`: the flags as one text, margin, attempt, length of token, length of fingerprint. */
  format: '>c5dI4I2I4',
  headSize: 23,
  waitedAt: 3,
  marginAt: 5,
  attemptAt: 13,
  tokenLengthAt: 17,
  fingerprintLengthAt: 19,
} as const

/** The record as the port tells it. A value that is none is refused: whatever it means, it may not run. */
export const toRecord = (value: Buffer, lifeMs: number): IdempotencyRecord => {
  if (value.length < layout.headSize || value.toString('latin1', 0, 1) !== layout.version)
    throw unreadable('a record of version 1', `${value.length} bytes that are none`)
  const [, state, , , marked] = value.toString('latin1', 0, layout.marginAt)
  const attempt = value.readUInt32BE(layout.attemptAt)
  const tokenEndsAt = layout.headSize + value.readUInt16BE(layout.tokenLengthAt)
  const fingerprintEndsAt = tokenEndsAt + value.readUInt32BE(layout.fingerprintLengthAt)
  if (value.length < fingerprintEndsAt) throw unreadable('a whole record', 'one that is cut off')
  const token = value.toString('utf8', layout.headSize, tokenEndsAt)
  const fingerprint = value.toString('utf8', tokenEndsAt, fingerprintEndsAt)
  const rest = plainBytes(value.subarray(fingerprintEndsAt))
  const progress = marked === '1' ? { progress: rest } : {}
  // -1: somebody has taken the key's end away.
  const remainingMs = lifeMs < 0 ? Number.MAX_SAFE_INTEGER : bounded(lifeMs)
  switch (state) {
    case 'i': {
      if (lifeMs < 0) throw unreadable('a lease that ends', 'a key without an end')
      const leaseRemainingMs = bounded(lifeMs - value.readDoubleBE(layout.marginAt))
      return { fingerprint, attempt, token, state: 'in_flight', leaseRemainingMs, ...progress }
    }
    case 'c':
      return { fingerprint, attempt, token, state: 'completed', result: rest, remainingMs }
    case 'f':
    case 'd': {
      const inDoubt = state === 'd'
      return { fingerprint, attempt, token, state: 'failed', inDoubt, remainingMs, ...progress }
    }
    default:
      throw unreadable('the state of a record to be i, c, f or d', `'${state}'`)
  }
}

/** The error for something under one of our keys that is no record that this version can read. */
export const unreadable = (expected: string, got: string): StoreError =>
  new StoreError(
    'store-unavailable',
    explain('store-unavailable', expected, got, 'A record that cannot be read must not run again.'),
    { unreadable: true },
  )

/** What was left of a duration when the server was asked, in whole milliseconds, never negative. */
const bounded = (ms: number): number =>
  Math.min(Math.max(0, Math.floor(ms)), Number.MAX_SAFE_INTEGER)

/** The driver gives Buffers, whose `slice` and `toString` are not those of a Uint8Array. The bytes are not copied. */
const plainBytes = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
