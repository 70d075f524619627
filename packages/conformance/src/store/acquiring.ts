import assert from 'node:assert/strict'
import { sameAcquisition, sameBytes, sameRecord, sameRemaining } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, finds, inState, leaseOf, long } from './scene.js'

/** What the one atomic question answers, while nothing is in doubt. */
export const acquiring: readonly StoreGuarantee[] = [
  {
    name: 'an absent record goes to the first claim, as attempt 1 after nothing',
    points: ['1: absent, acquire', '10'],
    check: async (harness) => {
      const store = await harness.open()
      const acquisition = await store.acquire(claimOn('new'))
      sameAcquisition(acquisition, { kind: 'acquired', attempt: 1, after: 'nothing' })
    },
  },
  {
    name: 'the holder that asks again is answered as before',
    points: ['1: in_flight, own token, acquire', '10'],
    check: async (harness) => {
      const store = await harness.open()
      const claim = claimOn('asked again')
      const first = await acquires(store, claim)
      sameAcquisition(await store.acquire(claim), first)
      sameAcquisition(await store.acquire({ ...claim, takeover: true }), first)
    },
  },
  {
    name: 'the holder that asks again after a takeover is told the same cause and progress',
    points: ['1: in_flight, own token, acquire', '10', '14'],
    check: async (harness) => {
      const store = await harness.open()
      const lost = claimOn('asked again later', { leaseMs: 1500 })
      await acquires(store, lost)
      await store.renew(leaseOf(lost), { leaseMs: 1500, progress: bytes('half way') })
      await harness.advance(2000)
      const taker = claimOn('asked again later', { takeover: true })
      sameAcquisition(await store.acquire(taker), await acquires(store, taker))
      await store.fail(leaseOf(taker), { inDoubt: false, retentionMs: long })
      const next = claimOn('asked again later')
      sameAcquisition(await store.acquire(next), await acquires(store, next))
    },
  },
  {
    name: 'the holder whose lease is over is not its own successor',
    points: ['1: in_flight, own token, acquire', '10', '13'],
    check: async (harness) => {
      const store = await harness.open()
      const claim = claimOn('slow holder', { leaseMs: 1500 })
      const first = await acquires(store, claim)
      await harness.advance(2000)
      sameAcquisition(await store.acquire(claim), first)
      sameAcquisition(await store.acquire({ ...claim, takeover: true }), first)
    },
  },
  {
    name: 'asking again does not restart the lease',
    points: ['1: in_flight, own token, acquire', '11'],
    check: async (harness) => {
      const store = await harness.open()
      const claim = claimOn('asked again in time', { leaseMs: 1500 })
      await acquires(store, claim)
      await harness.advance(1000)
      await acquires(store, claim)
      await harness.advance(1000)
      await acquires(store, claimOn('asked again in time', { takeover: true }))
    },
  },
  {
    name: 'a live lease is not taken, not even with takeover',
    points: ['1: in_flight, lease live, acquire', '1: one winner per acquisition', '10'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('held')
      await acquires(store, holder)
      for (const takeover of [false, true]) {
        const record = await finds(store, claimOn('held', { takeover }))
        assert.equal(inState(record, 'in_flight').token, holder.token)
      }
    },
  },
  {
    name: 'who finds a live lease is told the rest of it',
    points: ['1: in_flight, lease live, acquire', '38'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('held for a while', { leaseMs: 5500 }))
      await harness.advance(2000)
      const record = await finds(store, claimOn('held for a while'))
      sameRemaining(inState(record, 'in_flight').leaseRemainingMs, 3500)
    },
  },
  {
    name: 'a completed record is answered with its result, and given to nobody',
    points: ['1: completed, acquire', '1: a completed result never changes', '16'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('done')
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('the answer'), retentionMs: long })
      for (const claim of [holder, claimOn('done'), claimOn('done', { takeover: true })]) {
        const record = inState(await finds(store, claim), 'completed')
        sameBytes(record.result, bytes('the answer'))
        assert.equal(record.token, holder.token)
      }
    },
  },
  {
    name: 'another fingerprint is a mismatch while the first is in flight, for the holder too',
    points: ['1: other fingerprint, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('reused in flight')
      await acquires(store, holder)
      const before = await store.read('reused in flight')
      for (const claim of [holder, claimOn('reused in flight', { takeover: true })]) {
        const record = await finds(store, { ...claim, fingerprint: 'other' })
        assert.equal(record.fingerprint, 'print')
      }
      sameRecord(await store.read('reused in flight'), before)
    },
  },
  {
    name: 'another fingerprint does not take over an abandoned record',
    points: ['1: other fingerprint, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('reused abandoned', { leaseMs: 1500 }))
      await harness.advance(2000)
      const other = claimOn('reused abandoned', { fingerprint: 'other', takeover: true })
      assert.equal((await finds(store, other)).fingerprint, 'print')
    },
  },
  {
    name: 'another fingerprint does not acquire a failed record',
    points: ['1: other fingerprint, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      for (const inDoubt of [false, true]) {
        const holder = claimOn(`reused failed, in doubt: ${inDoubt}`)
        await acquires(store, holder)
        await store.fail(leaseOf(holder), { inDoubt, retentionMs: long })
        const other = claimOn(holder.recordKey, { fingerprint: 'other', takeover: true })
        assert.equal((await finds(store, other)).fingerprint, 'print')
      }
    },
  },
  {
    name: 'another fingerprint is shown a completed record under its own',
    points: ['1: other fingerprint, acquire', '1: a completed result never changes'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('reused completed')
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('kept'), retentionMs: long })
      const before = await store.read('reused completed')
      for (const takeover of [false, true]) {
        const other = claimOn('reused completed', { fingerprint: 'other', takeover })
        sameRecord(await finds(store, other), before)
      }
    },
  },
]
