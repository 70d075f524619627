import { type IdempotencyRecord, recordOf, unreadableRecord } from '@retrysafe/core'

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
    throw unreadableRecord('a record of version 1', `${value.length} bytes that are none`)
  const [, state, , , marked] = value.toString('latin1', 0, layout.marginAt)
  const attempt = value.readUInt32BE(layout.attemptAt)
  const tokenEndsAt = layout.headSize + value.readUInt16BE(layout.tokenLengthAt)
  const fingerprintEndsAt = tokenEndsAt + value.readUInt32BE(layout.fingerprintLengthAt)
  if (value.length < fingerprintEndsAt)
    throw unreadableRecord('a whole record', 'one that is cut off')
  // -1: somebody has taken the key's end away.
  if (state === 'i' && lifeMs < 0) throw unreadableRecord('a lease that ends', 'a key without one')
  const rest = value.subarray(fingerprintEndsAt)
  return recordOf({
    fingerprint: value.toString('utf8', tokenEndsAt, fingerprintEndsAt),
    attempt,
    token: value.toString('utf8', layout.headSize, tokenEndsAt),
    state: states[state ?? ''] ?? String(state),
    inDoubt: state === 'd',
    leaseMs: lifeMs - value.readDoubleBE(layout.marginAt),
    lifeMs: lifeMs < 0 ? Number.MAX_SAFE_INTEGER : lifeMs,
    progress: marked === '1' ? rest : null,
    result: rest,
  })
}

const states: Readonly<Record<string, string>> = {
  i: 'in_flight',
  c: 'completed',
  f: 'failed',
  d: 'failed',
}
