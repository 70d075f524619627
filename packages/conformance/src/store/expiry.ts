import assert from 'node:assert/strict'
import { sameAcquisition, sameRemaining } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, finds, inState, leaseOf, long } from './scene.js'

const anew = { kind: 'acquired', attempt: 1, after: 'nothing' } as const

/** When a record is over. Nothing here purges: what is over is absent all the same. */
export const expiry: readonly StoreGuarantee[] = [
  {
    name: 'a completed record is absent when its retention is over, though nobody purged',
    points: ['1: completed or failed, retention over', '34'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('old result')
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('old'), retentionMs: 1500 })
      await harness.advance(2000)
      sameAcquisition(await store.acquire(claimOn('old result', { fingerprint: 'other' })), anew)
    },
  },
  {
    name: 'a failed record is absent when its retention is over, attempts and progress with it',
    points: ['1: completed or failed, retention over', '34'],
    check: async (harness) => {
      const store = await harness.open()
      for (const inDoubt of [false, true]) {
        const holder = claimOn(`old failure, in doubt: ${inDoubt}`)
        await acquires(store, holder)
        await store.renew(leaseOf(holder), { leaseMs: long, progress: bytes('half') })
        await store.fail(leaseOf(holder), { inDoubt, retentionMs: 1500 })
      }
      await harness.advance(2000)
      for (const inDoubt of [false, true])
        sameAcquisition(await store.acquire(claimOn(`old failure, in doubt: ${inDoubt}`)), anew)
    },
  },
  {
    name: 'a record in flight is absent when lease and retention are over',
    points: ['1: in_flight, lease and retention over', '34'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('old lease', { leaseMs: 500, retentionMs: 1500 }))
      await harness.advance(2000)
      sameAcquisition(await store.acquire(claimOn('old lease', { fingerprint: 'other' })), anew)
    },
  },
  {
    name: 'a lease that is longer than the retention keeps the record',
    points: ['1: in_flight, lease and retention over', '45'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('short retention', { leaseMs: 3500, retentionMs: 500 }))
      await harness.advance(2000)
      const record = await finds(store, claimOn('short retention', { takeover: true }))
      sameRemaining(inState(record, 'in_flight').leaseRemainingMs, 1500)
    },
  },
  {
    name: 'retention is counted from the completion',
    points: ['1: in_flight, own token, complete', '34'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('completed late', { leaseMs: 2500, retentionMs: 2500 })
      await acquires(store, holder)
      await harness.advance(2000)
      await store.complete(leaseOf(holder), { result: bytes('result'), retentionMs: 2500 })
      await harness.advance(1000)
      sameRemaining(inState(await store.read('completed late'), 'completed').remainingMs, 1500)
    },
  },
  {
    name: 'retention is counted from the failure',
    points: ['1: in_flight, own token, fail', '34'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('failed late', { leaseMs: 2500, retentionMs: 2500 })
      await acquires(store, holder)
      await harness.advance(2000)
      await store.fail(leaseOf(holder), { inDoubt: true, retentionMs: 2500 })
      await harness.advance(1000)
      sameRemaining(inState(await store.read('failed late'), 'failed').remainingMs, 1500)
    },
  },
  {
    name: 'the retention of a result may be shorter than the lease was',
    points: ['1: completed or failed, retention over', '45'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('kept for a moment', { leaseMs: 9500, retentionMs: 9500 })
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('short'), retentionMs: 1500 })
      await harness.advance(2000)
      assert.equal(await store.read('kept for a moment'), undefined)
    },
  },
  {
    name: 'a replay does not move the expiry',
    points: ['1: a replay never moves the expiry', '1: completed, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('replayed')
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('result'), retentionMs: 2500 })
      await harness.advance(1000)
      await finds(store, claimOn('replayed', { retentionMs: 9500, leaseMs: 9500 }))
      await store.read('replayed')
      await harness.advance(2000)
      assert.equal(await store.read('replayed'), undefined)
    },
  },
  {
    name: 'a read never shows what is over',
    points: [
      '1: completed or failed, retention over',
      '1: in_flight, lease and retention over',
      '38',
    ],
    check: async (harness) => {
      const store = await harness.open()
      const [left, done, failed] = ['left', 'done', 'failed'].map((recordKey) =>
        claimOn(recordKey, { leaseMs: 500, retentionMs: 1500 }),
      ) as [ReturnType<typeof claimOn>, ReturnType<typeof claimOn>, ReturnType<typeof claimOn>]
      for (const claim of [left, done, failed]) await acquires(store, claim)
      await store.complete(leaseOf(done), { result: bytes('result'), retentionMs: 1500 })
      await store.fail(leaseOf(failed), { inDoubt: true, retentionMs: 1500 })
      await harness.advance(2000)
      for (const { recordKey } of [left, done, failed])
        assert.equal(await store.read(recordKey), undefined, recordKey)
    },
  },
  {
    name: 'a holder that comes when its record is over finds it gone',
    points: ['1: in_flight, lease and retention over', '1: absent, any write', '12'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('far too late', { leaseMs: 1500, retentionMs: 1500 })
      const lease = leaseOf(holder)
      await acquires(store, holder)
      await harness.advance(2000)
      assert.equal(await store.renew(lease, { leaseMs: long }), 'gone')
      assert.equal(
        await store.complete(lease, { result: bytes('late'), retentionMs: long }),
        'gone',
      )
      assert.equal(await store.fail(lease, { inDoubt: true, retentionMs: long }), 'gone')
      assert.equal(await store.release(lease), 'gone')
    },
  },
]
