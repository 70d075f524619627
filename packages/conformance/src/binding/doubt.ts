import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { gate, until } from './waiting.js'

const leaseMs = 60_000
const dayMs = 86_400_000

/** `onDoubt: 'reject'`: a key whose attempt may have had effects waits for somebody to find out. */
export const doubt: readonly BindingGuarantee[] = [
  {
    name: 'under reject, a key whose lease ran out is refused, without a Retry-After',
    points: ['13'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: { onDoubt: 'reject' },
        handler: async () => {
          await work.opened
          return json(201, {})
        },
      })
      const slow = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      shop.store.advance(leaseMs)
      const answer = await shop.send({ key: 'a' })
      isProblem(answer, 409, 'outcome-unknown')
      assert.equal(answer.header('Retry-After'), undefined)
      hasRun(shop, 1)
      work.open()
      await slow.answer()
    },
  },
  {
    name: 'under reject, a key that answered 5xx or threw is refused for doubtRetentionMs',
    points: ['13'],
    check: async (harness) => {
      for (const isThrown of [false, true]) {
        const shop = await openShop(harness, {
          options: { onDoubt: 'reject', doubtRetentionMs: 2 * dayMs },
          handler: (_io, run) => {
            if (run === 1 && isThrown) throw new Error('the provider hung up')
            return json(run === 1 ? 502 : 201, {})
          },
        })
        isFirst(await shop.send({ key: 'a' }), isThrown ? 500 : 502)
        shop.store.advance(2 * dayMs - 1)
        isProblem(await shop.send({ key: 'a' }), 409, 'outcome-unknown')
        hasRun(shop, 1)
        shop.store.advance(1)
        isFirst(await shop.send({ key: 'a' }))
      }
    },
  },
  {
    name: 'under reject, a failure that said fail() is in no doubt',
    points: ['13', '14'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { onDoubt: 'reject' },
        handler: ({ execution }, run) => {
          if (run === 1) execution.fail()
          return json(run === 1 ? 503 : 201, {})
        },
      })
      isFirst(await shop.send({ key: 'a' }), 503)
      isFirst(await shop.send({ key: 'a' }))
      assert.deepEqual([shop.runs[1]?.attempt, shop.runs[1]?.after], [2, 'failed'])
    },
  },
  {
    name: 'under reject, an answer is kept as ever, and a transient refusal runs again',
    points: ['13', '26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { onDoubt: 'reject' },
        handler: (_io, run) => json(run === 1 ? 409 : 201, { run }),
      })
      isFirst(await shop.send({ key: 'a' }), 409)
      const second = await shop.send({ key: 'a' })
      isFirst(second)
      isReplay(await shop.send({ key: 'a' }), second)
    },
  },
]
