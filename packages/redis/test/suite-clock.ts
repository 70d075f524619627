import type { IdempotencyRecord, IdempotencyStore } from '@retrysafe/core'
import { type RedisClient, redisStore } from '../src/index.js'

/**
 * So many of the server's milliseconds are one of the suite's: what passes while a test runs is nothing then, as it
 * is for a suite whose clock stands still unless it is set.
 */
const scale = 1_000_000

let stores = 0

/**
 * A store on a real server for a suite that sets the clock. What the clock has gone on since a record was last asked
 * for is taken off its key's life first: all that a record knows of time is how long its key has to live.
 */
export const onSuiteClock = (client: RedisClient, now: () => number): IdempotencyStore => {
  const prefix = `suite-${process.pid}-${++stores}:`
  const store = redisStore({ client, prefix })
  const seenAt = new Map<string, number>()

  const catchUp = async (recordKey: string): Promise<void> => {
    const at = now()
    const passed = at - (seenAt.get(recordKey) ?? at)
    seenAt.set(recordKey, at)
    if (passed === 0) return
    const key = prefix + recordKey
    const life = Number(await client.callBuffer('pttl', key))
    if (life > 0) await client.callBuffer('pexpire', key, life - passed * scale)
  }

  /** The terms with what is in milliseconds stretched, once the record has caught up. */
  const asked = async <Terms extends { readonly recordKey: string }, Answer>(
    terms: Terms,
    call: (terms: Terms) => Promise<Answer>,
  ): Promise<Answer> => {
    await catchUp(terms.recordKey)
    return call(terms)
  }

  return {
    acquire: (claim) =>
      asked(claim, async (own) => {
        const { leaseMs, retentionMs } = claim
        const acquisition = await store.acquire({
          ...own,
          leaseMs: stretched(leaseMs),
          retentionMs: stretched(retentionMs),
        })
        return acquisition.kind === 'exists'
          ? { kind: 'exists', record: shrunk(acquisition.record) }
          : acquisition
      }),
    renew: (lease, terms) =>
      asked(lease, (own) => store.renew(own, { ...terms, leaseMs: stretched(terms.leaseMs) })),
    complete: (lease, terms) =>
      asked(lease, (own) =>
        store.complete(own, { ...terms, retentionMs: stretched(terms.retentionMs) }),
      ),
    fail: (lease, terms) =>
      asked(lease, (own) =>
        store.fail(own, { ...terms, retentionMs: stretched(terms.retentionMs) }),
      ),
    release: (lease) => asked(lease, store.release),
    read: (recordKey) =>
      asked({ recordKey }, async () => {
        const record = await store.read(recordKey)
        return record && shrunk(record)
      }),
    ...(store.changed && { changed: store.changed }),
    purgeExpired: store.purgeExpired,
    close: store.close,
  }
}

const stretched = (ms: number): number => Math.min(ms * scale, Number.MAX_SAFE_INTEGER)

const shrunk = (record: IdempotencyRecord): IdempotencyRecord =>
  record.state === 'in_flight'
    ? { ...record, leaseRemainingMs: Math.round(record.leaseRemainingMs / scale) }
    : { ...record, remainingMs: Math.round(record.remainingMs / scale) }
