import assert from 'node:assert/strict'
import { sameBytes, sameRecord } from './compare.js'
import type { StoreGuarantee, StoreHarness } from './harness.js'
import { acquires, bytes, claimOn, inState, leaseOf, long } from './scene.js'

const ended = async (harness: StoreHarness, recordKey: string) => {
  const store = await harness.open()
  const claim = claimOn(recordKey)
  await acquires(store, claim)
  return { store, lease: leaseOf(claim) }
}

/** What a holder is answered that writes again, since the first answer may have been lost. */
export const lostAnswers: readonly StoreGuarantee[] = [
  {
    name: 'a completion told again is ok and changes nothing',
    points: [
      '1: completed or failed, own token, the same write',
      '1: a replay never moves the expiry',
      '12',
    ],
    check: async (harness) => {
      const { store, lease } = await ended(harness, 'completed twice')
      await store.complete(lease, { result: bytes('result'), retentionMs: 3500 })
      await harness.advance(2000)
      const before = await store.read('completed twice')
      const again = { result: bytes('result'), retentionMs: 3500 }
      assert.equal(await store.complete(lease, again), 'ok')
      sameRecord(await store.read('completed twice'), before)
    },
  },
  {
    name: 'a failure told again is ok and changes nothing',
    points: ['1: completed or failed, own token, the same write', '12'],
    check: async (harness) => {
      const { store, lease } = await ended(harness, 'failed twice')
      await store.fail(lease, { inDoubt: true, retentionMs: 3500 })
      await harness.advance(2000)
      const before = await store.read('failed twice')
      assert.equal(await store.fail(lease, { inDoubt: true, retentionMs: 3500 }), 'ok')
      sameRecord(await store.read('failed twice'), before)
    },
  },
  {
    name: 'a completion with another result is stale',
    points: [
      '1: completed or failed, own token, another write',
      '1: a completed result never changes',
    ],
    check: async (harness) => {
      const { store, lease } = await ended(harness, 'completed otherwise')
      await store.complete(lease, { result: bytes('first'), retentionMs: long })
      for (const other of ['other', 'first ', ''])
        assert.equal(
          await store.complete(lease, { result: bytes(other), retentionMs: long }),
          'stale',
        )
      sameBytes(
        inState(await store.read('completed otherwise'), 'completed').result,
        bytes('first'),
      )
    },
  },
  {
    name: 'a holder that has completed can neither renew, fail nor release',
    points: [
      '1: completed or failed, own token, another write',
      '1: a completed result never changes',
    ],
    check: async (harness) => {
      const { store, lease } = await ended(harness, 'over and done')
      await store.complete(lease, { result: bytes('result'), retentionMs: long })
      const before = await store.read('over and done')
      assert.equal(await store.renew(lease, { leaseMs: long, progress: bytes('p') }), 'stale')
      assert.equal(await store.fail(lease, { inDoubt: false, retentionMs: long }), 'stale')
      assert.equal(await store.release(lease), 'stale')
      sameRecord(await store.read('over and done'), before)
    },
  },
  {
    name: 'a holder that has failed can neither renew, complete, release nor fail otherwise',
    points: ['1: completed or failed, own token, another write'],
    check: async (harness) => {
      const { store, lease } = await ended(harness, 'over and failed')
      await store.fail(lease, { inDoubt: true, retentionMs: long })
      const before = await store.read('over and failed')
      assert.equal(await store.renew(lease, { leaseMs: long, progress: bytes('p') }), 'stale')
      const terms = { result: bytes('result'), retentionMs: long }
      assert.equal(await store.complete(lease, terms), 'stale')
      assert.equal(await store.release(lease), 'stale')
      assert.equal(await store.fail(lease, { inDoubt: false, retentionMs: long }), 'stale')
      sameRecord(await store.read('over and failed'), before)
    },
  },
]
