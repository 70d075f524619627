import type { IdempotencyRecord, IdempotencyStore } from '@retrysafe/core'

/**
 * So many of the server's milliseconds are one of the suite's: what passes while a test runs is nothing then, as it
 * is for a suite whose clock stands still unless it is set.
 */
export const scale = 1_000_000

/**
 * A store on a real server for a suite that sets the clock.
 *
 * @param catchUp Takes off a record's life, before it is asked for, what the suite's clock has gone on meanwhile.
 */
export const onStretchedTime = (
  store: IdempotencyStore,
  catchUp: (recordKey?: string) => Promise<void>,
): IdempotencyStore => {
  const asked = async <Answer>(recordKey: string | undefined, call: () => Promise<Answer>) => {
    await catchUp(recordKey)
    return call()
  }

  return {
    acquire: (claim) =>
      asked(claim.recordKey, async () => {
        const acquisition = await store.acquire({
          ...claim,
          leaseMs: stretched(claim.leaseMs),
          retentionMs: stretched(claim.retentionMs),
        })
        return acquisition.kind === 'exists'
          ? { kind: 'exists', record: shrunk(acquisition.record) }
          : acquisition
      }),
    renew: (lease, terms) =>
      asked(lease.recordKey, () =>
        store.renew(lease, { ...terms, leaseMs: stretched(terms.leaseMs) }),
      ),
    complete: (lease, terms) =>
      asked(lease.recordKey, () =>
        store.complete(lease, { ...terms, retentionMs: stretched(terms.retentionMs) }),
      ),
    fail: (lease, terms) =>
      asked(lease.recordKey, () =>
        store.fail(lease, { ...terms, retentionMs: stretched(terms.retentionMs) }),
      ),
    release: (lease) => asked(lease.recordKey, () => store.release(lease)),
    read: (recordKey) =>
      asked(recordKey, async () => {
        const record = await store.read(recordKey)
        return record && shrunk(record)
      }),
    ...(store.changed && { changed: store.changed }),
    purgeExpired: (limit) => asked(undefined, () => store.purgeExpired(limit)),
    close: store.close,
  }
}

const stretched = (ms: number): number => Math.min(ms * scale, Number.MAX_SAFE_INTEGER)

const shrunk = (record: IdempotencyRecord): IdempotencyRecord =>
  record.state === 'in_flight'
    ? { ...record, leaseRemainingMs: Math.round(record.leaseRemainingMs / scale) }
    : { ...record, remainingMs: Math.round(record.remainingMs / scale) }
