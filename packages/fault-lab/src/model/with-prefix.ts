import type { IdempotencyStore, Lease } from '@retrysafe/core'

/** A store whose records are kept under other keys: so that many sets of data have room in one. */
export const withPrefix = (store: IdempotencyStore, prefix: string): IdempotencyStore => {
  const moved = <Given extends Pick<Lease, 'recordKey'>>(given: Given): Given => ({
    ...given,
    recordKey: prefix + given.recordKey,
  })
  return {
    acquire: (claim) => store.acquire(moved(claim)),
    renew: (lease, terms) => store.renew(moved(lease), terms),
    complete: (lease, terms) => store.complete(moved(lease), terms),
    fail: (lease, terms) => store.fail(moved(lease), terms),
    release: (lease) => store.release(moved(lease)),
    read: (recordKey) => store.read(prefix + recordKey),
    purgeExpired: (limit) => store.purgeExpired(limit),
    close: async () => {},
  }
}
