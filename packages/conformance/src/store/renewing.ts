import assert from 'node:assert/strict'
import { sameRemaining } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, claimOn, finds, inState, leaseOf } from './scene.js'

/** How a holder stays one. */
export const renewing: readonly StoreGuarantee[] = [
  {
    name: 'a renewal restarts the lease from now',
    points: ['1: in_flight, own token, renew', '11'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('renewed', { leaseMs: 2500 })
      await acquires(store, holder)
      await harness.advance(2000)
      assert.equal(await store.renew(leaseOf(holder), { leaseMs: 2500 }), 'ok')
      await harness.advance(1000)
      const record = inState(await finds(store, claimOn('renewed')), 'in_flight')
      sameRemaining(record.leaseRemainingMs, 1500)
    },
  },
  {
    name: 'a renewal never shortens the life of the record',
    points: ['1: in_flight, own token, renew'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('renewed, then lost', { leaseMs: 1500, retentionMs: 6500 })
      await acquires(store, holder)
      await store.renew(leaseOf(holder), { leaseMs: 1500 })
      await harness.advance(4000)
      const record = inState(await store.read('renewed, then lost'), 'in_flight')
      assert.equal(record.leaseRemainingMs, 0)
    },
  },
  {
    name: 'a renewal keeps the record where its lease outlasts the retention',
    points: ['1: in_flight, own token, renew', '11', '45'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('renewed for long', { leaseMs: 1500, retentionMs: 1500 })
      await acquires(store, holder)
      await harness.advance(1000)
      await store.renew(leaseOf(holder), { leaseMs: 5500 })
      await harness.advance(2000)
      assert.equal(inState(await store.read('renewed for long'), 'in_flight').token, holder.token)
    },
  },
  {
    name: 'the holder whose lease is over may renew it, as long as nobody took over',
    points: ['1: in_flight, own token, renew', '11'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('late renewal', { leaseMs: 1500 })
      await acquires(store, holder)
      await harness.advance(2000)
      assert.equal(await store.renew(leaseOf(holder), { leaseMs: 2500 }), 'ok')
      const record = inState(
        await finds(store, claimOn('late renewal', { takeover: true })),
        'in_flight',
      )
      sameRemaining(record.leaseRemainingMs, 2500)
    },
  },
]
