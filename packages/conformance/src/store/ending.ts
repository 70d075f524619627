import assert from 'node:assert/strict'
import type { IdempotencyStore } from '@retrysafe/core'
import { sameAcquisition, sameRecord } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, leaseOf, long } from './scene.js'

const verbs = {
  complete: (store: IdempotencyStore, lease: { recordKey: string; token: string }) =>
    store.complete(lease, { result: bytes('late'), retentionMs: long }),
  fail: (store: IdempotencyStore, lease: { recordKey: string; token: string }) =>
    store.fail(lease, { inDoubt: false, retentionMs: long }),
  release: (store: IdempotencyStore, lease: { recordKey: string; token: string }) =>
    store.release(lease),
} as const

const after = { complete: 'completed', fail: 'failed', release: undefined } as const

/** How a holder ends its lease. */
export const ending: readonly StoreGuarantee[] = [
  {
    name: 'a completed record keeps its result, fingerprint and attempt',
    points: ['1: in_flight, own token, complete', '34'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('completed')
      await acquires(store, holder)
      const terms = { result: bytes('result'), retentionMs: 5500 }
      assert.equal(await store.complete(leaseOf(holder), terms), 'ok')
      await harness.advance(1000)
      sameRecord(await store.read('completed'), {
        state: 'completed',
        fingerprint: 'print',
        attempt: 1,
        token: holder.token,
        result: bytes('result'),
        remainingMs: 4500,
      })
    },
  },
  {
    name: 'a failed record keeps fingerprint and attempt, and whether it is in doubt',
    points: ['1: in_flight, own token, fail', '13'],
    check: async (harness) => {
      const store = await harness.open()
      for (const inDoubt of [false, true]) {
        const holder = claimOn(`failed, in doubt: ${inDoubt}`)
        await acquires(store, holder)
        const terms = { inDoubt, retentionMs: 5500 }
        assert.equal(await store.fail(leaseOf(holder), terms), 'ok')
        sameRecord(await store.read(holder.recordKey), {
          state: 'failed',
          fingerprint: 'print',
          attempt: 1,
          token: holder.token,
          inDoubt,
          remainingMs: 5500,
        })
      }
    },
  },
  {
    name: 'a released record is forgotten, with its attempts and progress',
    points: ['1: in_flight, own token, release', '12'],
    check: async (harness) => {
      const store = await harness.open()
      const first = claimOn('released')
      await acquires(store, first)
      await store.fail(leaseOf(first), { inDoubt: false, retentionMs: long })
      const second = claimOn('released')
      await acquires(store, second)
      await store.renew(leaseOf(second), { leaseMs: long, progress: bytes('some') })
      assert.equal(await store.release(leaseOf(second)), 'ok')
      assert.equal(await store.read('released'), undefined)
      assert.equal(await store.release(leaseOf(second)), 'gone')
      const acquisition = await store.acquire(claimOn('released', { fingerprint: 'other' }))
      sameAcquisition(acquisition, { kind: 'acquired', attempt: 1, after: 'nothing' })
    },
  },
  {
    name: 'a write to a record that is not there answers gone and makes none',
    points: ['1: absent, any write', '12'],
    check: async (harness) => {
      const store = await harness.open()
      const lease = leaseOf(claimOn('nothing'))
      assert.equal(await store.renew(lease, { leaseMs: long, progress: bytes('some') }), 'gone')
      for (const verb of Object.values(verbs)) assert.equal(await verb(store, lease), 'gone')
      assert.equal(await store.read('nothing'), undefined)
      assert.equal((await acquires(store, claimOn('nothing'))).attempt, 1)
    },
  },
  ...(['complete', 'fail', 'release'] as const).map(
    (verb): StoreGuarantee => ({
      name: `the holder whose lease is over may ${verb}, as long as nobody took over`,
      points: [`1: in_flight, own token, ${verb}`, '12'],
      check: async (harness) => {
        const store = await harness.open()
        const holder = claimOn(`late to ${verb}`, { leaseMs: 1500 })
        await acquires(store, holder)
        await harness.advance(2000)
        assert.equal(await verbs[verb](store, leaseOf(holder)), 'ok')
        assert.equal((await store.read(holder.recordKey))?.state, after[verb])
      },
    }),
  ),
]
