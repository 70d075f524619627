import assert from 'node:assert/strict'
import { answer, compressed, encrypted } from '@retrysafe/core'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { openShop, whole } from './shop.js'

const secret = 'the number of a card'
const keys = { one: new Uint8Array(32).fill(1), two: new Uint8Array(32).fill(2) }

/** What an answer is in the store, and what is made of it again. */
export const storedForms: readonly BindingGuarantee[] = [
  {
    name: 'an encrypted answer is not to be read in the store, and is replayed',
    points: ['33'],
    check: async (harness) => {
      const codec = [compressed({ fromBytes: 1 }), encrypted({ keys, current: 'one' })]
      const shop = await openShop(harness, {
        options: { codec },
        handler: () => whole(200, secret),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 200)
      const [record] = [...shop.store.records.values()]
      assert(record?.state === 'completed')
      assert(!Buffer.from(record.result).includes(secret), 'the store shows the answer')
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'an encrypted answer that was moved to another key is refused, and nothing runs',
    points: ['33', '37'],
    check: async (harness) => {
      const codec = encrypted({ keys, current: 'two' })
      const shop = await openShop(harness, {
        options: { codec },
        handler: (_io, run) => whole(200, `number ${run}`),
      })
      for (const key of ['a', 'b']) isFirst(await shop.send({ key }), 200)
      const [mine, other] = [...shop.store.records]
      assert(mine && other)
      shop.store.records.set(mine[0], other[1])
      isProblem(await shop.send({ key: 'a' }), 503, 'store-unavailable')
      hasRun(shop, 2)
    },
  },
  {
    name: 'onReplay makes a replay afresh, and it is marked as one',
    points: ['33'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: {
          onReplay: (replay, { header }) =>
            header('x-fresh') ? answer(replay.status, header('x-fresh')) : undefined,
        },
        handler: () => whole(200, 'as it was'),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 200)
      isReplay(await shop.send({ key: 'a' }), first)
      const fresh = await shop.send({ key: 'a', headers: { 'x-fresh': 'as it is' } })
      assert.deepEqual([fresh.status, fresh.text()], [200, 'as it is'])
      assert.equal(fresh.header('Idempotent-Replayed'), 'true')
      hasRun(shop, 1)
    },
  },
]
