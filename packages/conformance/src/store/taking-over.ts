import assert from 'node:assert/strict'
import { sameRemaining } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, claimOn, finds, inState, leaseOf, long } from './scene.js'

/** What becomes of records that are abandoned or failed. */
export const takingOver: readonly StoreGuarantee[] = [
  {
    name: 'an abandoned record goes to a claim with takeover, one attempt further',
    points: ['1: in_flight, lease over, takeover, acquire', '13'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('abandoned', { leaseMs: 1500 }))
      await harness.advance(2000)
      const taker = claimOn('abandoned', { takeover: true })
      const { attempt, after } = await acquires(store, taker)
      assert.deepEqual([attempt, after], [2, 'abandoned'])
      assert.equal(inState(await store.read('abandoned'), 'in_flight').token, taker.token)
    },
  },
  {
    name: 'an abandoned record is shown, not given, without takeover',
    points: ['1: abandoned or failed in doubt, no takeover, acquire', '13'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('abandoned in doubt', { leaseMs: 1500 }))
      await harness.advance(2000)
      const record = await finds(store, claimOn('abandoned in doubt'))
      assert.equal(inState(record, 'in_flight').leaseRemainingMs, 0)
    },
  },
  {
    name: 'a failed record that is not in doubt runs again without takeover',
    points: ['1: failed, not in doubt or takeover, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      const failed = claimOn('failed')
      await acquires(store, failed)
      await store.fail(leaseOf(failed), { inDoubt: false, retentionMs: long })
      const { attempt, after } = await acquires(store, claimOn('failed'))
      assert.deepEqual([attempt, after], [2, 'failed'])
    },
  },
  {
    name: 'a failed record in doubt is given only to a claim with takeover',
    points: [
      '1: failed, not in doubt or takeover, acquire',
      '1: abandoned or failed in doubt, no takeover, acquire',
      '13',
    ],
    check: async (harness) => {
      const store = await harness.open()
      const failed = claimOn('failed in doubt')
      await acquires(store, failed)
      await store.fail(leaseOf(failed), { inDoubt: true, retentionMs: long })
      const record = inState(await finds(store, claimOn('failed in doubt')), 'failed')
      assert.equal(record.inDoubt, true)
      const taker = claimOn('failed in doubt', { takeover: true })
      const { attempt, after } = await acquires(store, taker)
      assert.deepEqual([attempt, after], [2, 'failed'])
    },
  },
  {
    name: 'attempts are counted through failures and takeovers alike',
    points: ['1: the attempt only grows while the record lives', '13'],
    check: async (harness) => {
      const store = await harness.open()
      const attempts: number[] = []
      for (const ending of ['fail', 'fail', 'abandon', 'fail', 'abandon', 'fail', 'stop']) {
        const claim = claimOn('unlucky', { leaseMs: 1500, takeover: true })
        attempts.push((await acquires(store, claim)).attempt)
        if (ending === 'abandon') await harness.advance(2000)
        if (ending === 'fail')
          await store.fail(leaseOf(claim), { inDoubt: true, retentionMs: long })
      }
      assert.deepEqual(attempts, [1, 2, 3, 4, 5, 6, 7])
    },
  },
  {
    name: 'a takeover has a lease of its own',
    points: ['1: in_flight, lease over, takeover, acquire', '11'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('taken', { leaseMs: 1500 }))
      await harness.advance(2000)
      const taker = claimOn('taken', { leaseMs: 7500, takeover: true })
      await acquires(store, taker)
      await harness.advance(1000)
      const record = inState(await finds(store, claimOn('taken', { takeover: true })), 'in_flight')
      assert.equal(record.token, taker.token)
      sameRemaining(record.leaseRemainingMs, 6500)
    },
  },
  {
    name: 'a takeover has a retention of its own',
    points: ['1: in_flight, lease over, takeover, acquire', '34'],
    check: async (harness) => {
      const store = await harness.open()
      await acquires(store, claimOn('taken late', { leaseMs: 1500, retentionMs: 2500 }))
      await harness.advance(2000)
      const taker = claimOn('taken late', { leaseMs: 500, retentionMs: 3500, takeover: true })
      await acquires(store, taker)
      await harness.advance(2000)
      inState(await store.read('taken late'), 'in_flight')
      await harness.advance(2000)
      assert.equal(await store.read('taken late'), undefined)
    },
  },
]
