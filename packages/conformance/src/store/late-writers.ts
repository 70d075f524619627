import assert from 'node:assert/strict'
import type { IdempotencyStore, Lease, WriteResult } from '@retrysafe/core'
import { sameRecord } from './compare.js'
import type { StoreGuarantee, StoreHarness } from './harness.js'
import { acquires, bytes, claimOn, leaseOf, long } from './scene.js'

type Write = (store: IdempotencyStore, lease: Lease) => Promise<WriteResult>

const writes: { readonly [what: string]: Write } = {
  completion: (store, lease) => store.complete(lease, { result: bytes('late'), retentionMs: long }),
  failure: (store, lease) => store.fail(lease, { inDoubt: false, retentionMs: long }),
  release: (store, lease) => store.release(lease),
  renewal: (store, lease) => store.renew(lease, { leaseMs: 9500, progress: bytes('late') }),
}

const takenOver = async (harness: StoreHarness, recordKey: string) => {
  const store = await harness.open()
  const lost = claimOn(recordKey, { leaseMs: 1500 })
  await acquires(store, lost)
  await harness.advance(2000)
  const winner = claimOn(recordKey, { takeover: true })
  await acquires(store, winner)
  return { store, late: leaseOf(lost), winner: leaseOf(winner) }
}

const changesNothing = async (store: IdempotencyStore, late: Lease, tried: readonly Write[]) => {
  const before = await store.read(late.recordKey)
  for (const write of tried) assert.equal(await write(store, late), 'stale')
  sameRecord(await store.read(late.recordKey), before)
}

/** A writer that lost its lease changes nothing. */
export const lateWriters: readonly StoreGuarantee[] = [
  ...Object.entries(writes).map(
    ([what, write]): StoreGuarantee => ({
      name: `a late ${what} by a holder that lost its lease changes nothing`,
      points: [
        '1: present, other token, any write',
        '1: a writer that lost its lease changes nothing',
        '12',
      ],
      check: async (harness) => {
        const { store, late, winner } = await takenOver(harness, `taken before the ${what}`)
        await changesNothing(store, late, [write])
        const terms = { result: bytes('won'), retentionMs: long }
        assert.equal(await store.complete(winner, terms), 'ok')
      },
    }),
  ),
  {
    name: 'a late write leaves the result of the winner alone',
    points: [
      '1: present, other token, any write',
      '1: a completed result never changes',
      '1: a writer that lost its lease changes nothing',
      '12',
    ],
    check: async (harness) => {
      const { store, late, winner } = await takenOver(harness, 'won')
      // The very bytes that a late completion brings: they do not make it the winner's.
      await store.complete(winner, { result: bytes('late'), retentionMs: long })
      await changesNothing(store, late, Object.values(writes))
    },
  },
  {
    name: 'a late write leaves the failure of the winner alone',
    points: [
      '1: present, other token, any write',
      '1: a writer that lost its lease changes nothing',
      '12',
    ],
    check: async (harness) => {
      const { store, late, winner } = await takenOver(harness, 'failed by the winner')
      await store.fail(winner, { inDoubt: false, retentionMs: long })
      await changesNothing(store, late, Object.values(writes))
    },
  },
]
