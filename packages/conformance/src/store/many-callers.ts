import assert from 'node:assert/strict'
import type { Claim } from '@retrysafe/core'
import { sameBytes } from './compare.js'
import type { StoreGuarantee, StoreHarness } from './harness.js'
import { acquires, bytes, claimOn, inState, leaseOf, long } from './scene.js'

/** Fifty callers on two handles at one moment; answers who won. */
const oneWinner = async (harness: StoreHarness, recordKey: string): Promise<Claim> => {
  const handles = [await harness.open(), await harness.open()]
  const claims = Array.from({ length: 25 }, () => handles).flatMap((pair) =>
    pair.map((store) => ({ store, claim: claimOn(recordKey, { takeover: true }) })),
  )
  const answers = await Promise.all(
    claims.map(async ({ store, claim }) => ({ claim, answer: await store.acquire(claim) })),
  )
  const winners = answers.filter(({ answer }) => answer.kind === 'acquired')
  assert.equal(winners.length, 1, `${winners.length} of ${answers.length} callers acquired`)
  const winner = winners[0] as (typeof winners)[number]
  for (const { answer } of answers)
    if (answer.kind === 'exists') assert.equal(answer.record.token, winner.claim.token)
  return winner.claim
}

/** Any number of callers in any number of processes. */
export const manyCallers: readonly StoreGuarantee[] = [
  {
    name: 'of many claims on an absent record one wins',
    points: ['1: absent, acquire', '1: one winner per acquisition', '10'],
    check: async (harness) => {
      const winner = await oneWinner(harness, 'contended')
      const store = await harness.open()
      assert.equal(await store.release(leaseOf(winner)), 'ok')
    },
  },
  {
    name: 'of many claims on an abandoned record one wins',
    points: ['1: in_flight, lease over, takeover, acquire', '1: one winner per acquisition', '10'],
    check: async (harness) => {
      await acquires(await harness.open(), claimOn('left', { leaseMs: 1500 }))
      await harness.advance(2000)
      await oneWinner(harness, 'left')
    },
  },
  {
    name: 'of many claims on a failed record one wins',
    points: ['1: failed, not in doubt or takeover, acquire', '1: one winner per acquisition', '10'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('failed for many')
      await acquires(store, holder)
      await store.fail(leaseOf(holder), { inDoubt: false, retentionMs: long })
      await oneWinner(harness, 'failed for many')
    },
  },
  {
    name: 'of many claims on a record that is over and not purged one wins',
    points: ['1: completed or failed, retention over', '1: one winner per acquisition', '10'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('over for many')
      await acquires(store, holder)
      await store.complete(leaseOf(holder), { result: bytes('old'), retentionMs: 1500 })
      await harness.advance(2000)
      await oneWinner(harness, 'over for many')
    },
  },
  {
    name: 'a takeover and a late completion at one moment never both succeed',
    points: [
      '1: in_flight, own token, complete',
      '1: in_flight, lease over, takeover, acquire',
      '1: a writer that lost its lease changes nothing',
      '12',
    ],
    check: async (harness) => {
      const [one, other] = [await harness.open(), await harness.open()]
      const races = Array.from({ length: 20 }, (_, index) =>
        claimOn(`race ${index}`, { leaseMs: 1500 }),
      )
      for (const holder of races) await acquires(one, holder)
      await harness.advance(2000)
      await Promise.all(
        races.map(async (holder) => {
          const taker = claimOn(holder.recordKey, { takeover: true })
          const [written, acquisition] = await Promise.all([
            one.complete(leaseOf(holder), { result: bytes('result'), retentionMs: long }),
            other.acquire(taker),
          ])
          const isTaken = acquisition.kind === 'acquired'
          assert.equal(written, isTaken ? 'stale' : 'ok')
          const record = await one.read(holder.recordKey)
          assert.equal(record?.state, isTaken ? 'in_flight' : 'completed')
        }),
      )
    },
  },
  {
    name: 'what one handle has written every other one sees',
    points: ['1: one winner per acquisition', '10', '12'],
    check: async (harness) => {
      const [one, other] = [await harness.open(), await harness.open()]
      const holder = claimOn('seen by all')
      const lease = leaseOf(holder)
      const seen = async () => [await one.read('seen by all'), await other.read('seen by all')]
      await acquires(one, holder)
      for (const record of await seen())
        assert.equal(inState(record, 'in_flight').token, holder.token)
      await other.renew(lease, { leaseMs: long, progress: bytes('half') })
      for (const record of await seen())
        sameBytes(inState(record, 'in_flight').progress, bytes('half'))
      await one.complete(lease, { result: bytes('result'), retentionMs: long })
      for (const record of await seen())
        sameBytes(inState(record, 'completed').result, bytes('result'))
    },
  },
]
