import assert from 'node:assert/strict'
import type { IdempotencyRecord } from '@retrysafe/core'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, finds, inState, leaseOf } from './scene.js'

const longDurations = [
  // One more than a signed and an unsigned 32-bit number hold, 30 days in microseconds, and the most there is.
  2 ** 31,
  2 ** 32,
  2_592_000_000_000,
  Number.MAX_SAFE_INTEGER,
]

const remaining = (record: IdempotencyRecord | undefined): number => {
  assert(record, 'a record of a long duration should be there')
  return record.state === 'in_flight' ? record.leaseRemainingMs : record.remainingMs
}

/** Any positive whole number of milliseconds is a duration. */
export const durations: readonly StoreGuarantee[] = [
  {
    name: 'durations of up to 2^53 - 1 milliseconds last',
    points: ['34', '45'],
    check: async (harness) => {
      const store = await harness.open()
      const claims = longDurations.flatMap((ms) =>
        (['claimed', 'renewed', 'completed', 'failed'] as const).map((what) => ({
          what,
          ms,
          claim:
            what === 'claimed'
              ? claimOn(`${what} for ${ms}`, { leaseMs: ms, retentionMs: ms })
              : claimOn(`${what} for ${ms}`, { leaseMs: 5500, retentionMs: 5500 }),
        })),
      )
      for (const { what, ms, claim } of claims) {
        const lease = leaseOf(claim)
        await acquires(store, claim)
        if (what === 'renewed') await store.renew(lease, { leaseMs: ms })
        if (what === 'completed')
          await store.complete(lease, { result: bytes('result'), retentionMs: ms })
        if (what === 'failed') await store.fail(lease, { inDoubt: true, retentionMs: ms })
      }
      await harness.advance(1000)
      for (const { ms, claim } of claims) {
        const rest = remaining(await store.read(claim.recordKey))
        assert(rest > ms - 20_000 && rest <= ms, `${claim.recordKey}: ${rest} ms remain`)
        await finds(store, claimOn(claim.recordKey))
      }
    },
  },
  {
    name: 'a duration of one millisecond is over when one has passed',
    points: ['45'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('blink', { leaseMs: 1 }))
      const holder = claimOn('flash')
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('result'), retentionMs: 1 })
      await harness.advance(1000)
      assert.equal(inState(await store.read('blink'), 'in_flight').leaseRemainingMs, 0)
      assert.equal(await store.read('flash'), undefined)
    },
  },
]
