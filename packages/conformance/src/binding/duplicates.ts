import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee, BindingHarness } from './harness.js'
import { json, openShop, type ShopTerms } from './shop.js'
import { gate, until } from './waiting.js'

const whileRunning = async (harness: BindingHarness, terms: ShopTerms = {}) => {
  const work = gate()
  const shop = await openShop(harness, {
    ...terms,
    handler: async () => {
      await work.opened
      return json(201, {})
    },
  })
  const first = shop.converse({ key: 'a', json: { sku: 1 } })
  await until('the handler runs', () => shop.runs.length === 1)
  return { shop, first, work }
}

/** A key that comes again while it is in use, or for something else. */
export const duplicates: readonly BindingGuarantee[] = [
  {
    name: 'a duplicate in flight is told at once to ask again in a second',
    points: ['18'],
    check: async (harness) => {
      const { shop, first, work } = await whileRunning(harness)
      const answer = await shop.send({ key: 'a', json: { sku: 1 } })
      isProblem(answer, 409, 'request-in-flight')
      assert.equal(answer.header('Retry-After'), '1')
      hasRun(shop, 1)
      work.open()
      isFirst(await first.answer())
    },
  },
  {
    name: 'retryAfterMs says when to ask again, in whole seconds',
    points: ['18'],
    check: async (harness) => {
      const { shop, first, work } = await whileRunning(harness, {
        options: { onInFlight: { retryAfterMs: 2_500 } },
      })
      const answer = await shop.send({ key: 'a', json: { sku: 1 } })
      assert.equal(answer.header('Retry-After'), '3')
      work.open()
      await first.answer()
    },
  },
  {
    name: 'where the lease ends sooner, its rest says when to ask again',
    points: ['18'],
    check: async (harness) => {
      const { shop, first, work } = await whileRunning(harness, {
        options: { onInFlight: { retryAfterMs: 30_000 } },
      })
      shop.store.advance(55_500)
      const answer = await shop.send({ key: 'a', json: { sku: 1 } })
      assert.equal(answer.header('Retry-After'), '5')
      shop.store.advance(4_400)
      const later = await shop.send({ key: 'a', json: { sku: 1 } })
      assert.equal(later.header('Retry-After'), '1')
      work.open()
      await first.answer()
    },
  },
  {
    name: 'another request under a used key is refused, and the record is untouched',
    points: ['17'],
    check: async (harness) => {
      const shop = await openShop(harness)
      const first = await shop.send({ key: 'a', json: { sku: 1 } })
      isProblem(await shop.send({ key: 'a', json: { sku: 2 } }), 422, 'key-reused')
      hasRun(shop, 1)
      isReplay(await shop.send({ key: 'a', json: { sku: 1 } }), first)
    },
  },
  {
    name: 'another request under a key in flight is refused as such, not told to wait',
    points: ['17'],
    check: async (harness) => {
      const { shop, first, work } = await whileRunning(harness)
      isProblem(await shop.send({ key: 'a', json: { sku: 2 } }), 422, 'key-reused')
      work.open()
      isFirst(await first.answer())
    },
  },
  {
    name: 'the same key on another method or path is another request under a used key',
    points: ['19'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        routes: ['POST /orders', 'PATCH /orders', 'POST /refunds'],
      })
      isFirst(await shop.send({ key: 'a' }))
      isProblem(await shop.send({ key: 'a', method: 'PATCH' }), 422, 'key-reused')
      isProblem(await shop.send({ key: 'a', path: '/refunds' }), 422, 'key-reused')
    },
  },
  {
    name: 'with keyScope route, method and path make it another key, the query does not',
    points: ['19'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        routes: ['POST /orders', 'PATCH /orders', 'POST /refunds'],
        options: { keyScope: 'route' },
      })
      isFirst(await shop.send({ key: 'a' }))
      isFirst(await shop.send({ key: 'a', method: 'PATCH' }))
      isFirst(await shop.send({ key: 'a', path: '/refunds' }))
      isProblem(await shop.send({ key: 'a', path: '/orders?dry=1' }), 422, 'key-reused')
    },
  },
  {
    name: 'in a mounted sub-application the path is the whole one that the client sent',
    points: ['19', '21'],
    check: async (harness) => {
      const shop = await openShop(harness, { routes: ['POST /eu:/orders', 'POST /us:/orders'] })
      const first = await shop.send({ key: 'a', path: '/eu/orders' })
      isFirst(first)
      isProblem(await shop.send({ key: 'a', path: '/us/orders' }), 422, 'key-reused')
      isReplay(await shop.send({ key: 'a', path: '/eu/orders' }), first)
    },
  },
]
