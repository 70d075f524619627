import assert from 'node:assert/strict'
import type { IdempotencyStore } from '@retrysafe/core'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, inState, leaseOf, long } from './scene.js'

const overSoon = async (store: IdempotencyStore, count: number): Promise<void> => {
  for (let index = 0; index < count; index++)
    await acquires(store, claimOn(`over ${index}`, { leaseMs: 500, retentionMs: 500 }))
}

/** What happens to records that nobody asks for, and to a store at its end. */
export const housekeeping: readonly StoreGuarantee[] = [
  {
    name: 'a purge removes only what is over',
    points: ['34', '1: no acknowledged record is evicted'],
    check: async (harness) => {
      const store = await harness.open()
      const left = claimOn('left alone', { leaseMs: 500 })
      const [done, failed, doubtful] = [claimOn('done'), claimOn('failed'), claimOn('doubtful')]
      for (const claim of [left, claimOn('held'), done, failed, doubtful])
        await acquires(store, claim)
      await store.complete(leaseOf(done), { result: bytes('result'), retentionMs: long })
      await store.fail(leaseOf(failed), { inDoubt: false, retentionMs: long })
      await store.fail(leaseOf(doubtful), { inDoubt: true, retentionMs: long })
      await overSoon(store, 3)
      await harness.advance(1000)
      // A store may have removed them by itself.
      assert((await store.purgeExpired(100)) <= 3, 'more was purged than is over')
      assert.equal(await store.purgeExpired(100), 0)
      inState(await store.read('left alone'), 'in_flight')
      inState(await store.read('held'), 'in_flight')
      inState(await store.read('done'), 'completed')
      inState(await store.read('failed'), 'failed')
      inState(await store.read('doubtful'), 'failed')
    },
  },
  {
    name: 'a purge removes no more than it was asked to',
    points: ['34'],
    check: async (harness) => {
      const store = await harness.open()
      await overSoon(store, 7)
      await harness.advance(1000)
      let purged = 0
      for (let step = 0; step < 4; step++) {
        const count = await store.purgeExpired(2)
        assert(count <= 2, `${count} purged, 2 asked for`)
        purged += count
      }
      assert(purged <= 7, `${purged} purged of 7`)
    },
  },
  {
    name: 'no record that was acknowledged is forgotten for another one',
    points: ['1: no acknowledged record is evicted', '35'],
    check: async (harness) => {
      const store = await harness.open()
      const claims = Array.from({ length: 300 }, (_, index) => claimOn(`kept ${index}`))
      await Promise.all(
        claims.map(async (claim, index) => {
          await acquires(store, claim)
          if (index % 3 === 0)
            await store.complete(leaseOf(claim), { result: bytes('result'), retentionMs: long })
          if (index % 3 === 1)
            await store.fail(leaseOf(claim), { inDoubt: true, retentionMs: long })
        }),
      )
      const states = ['completed', 'failed', 'in_flight'] as const
      for (const [index, { recordKey }] of claims.entries())
        inState(await store.read(recordKey), states[index % 3] as (typeof states)[number])
    },
  },
  {
    name: 'a closed store rejects, and closing it again does nothing',
    points: ['40'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('before the end')
      const lease = leaseOf(holder)
      await acquires(store, holder)
      await store.close()
      await store.close()
      const calls = [
        () => store.acquire(holder),
        () => store.renew(lease, { leaseMs: long }),
        () => store.complete(lease, { result: bytes('late'), retentionMs: long }),
        () => store.fail(lease, { inDoubt: false, retentionMs: long }),
        () => store.release(lease),
        () => store.read('before the end'),
        () => store.purgeExpired(1),
      ]
      for (const call of calls) {
        // Made outside of the assertion: a call that throws at once is a fault too, it owes a promise.
        const answer = call()
        await assert.rejects(answer)
      }
    },
  },
]
