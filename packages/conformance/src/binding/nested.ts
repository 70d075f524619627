import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop, type Shop } from './shop.js'

/** A handler that calls another protected operation of the same application. */
export const nested: readonly BindingGuarantee[] = [
  {
    name: 'an inner operation has a record of its own, and its failure stays its own',
    points: ['44'],
    check: async (harness) => {
      const shop: Shop = await openShop(harness, {
        everywhere: (usual) => [usual],
        routes: ['POST /orders', 'POST /payments'],
        handler: async (io) => {
          if (io.header('x-inner') === '1') return json(503, { inner: true })
          const key = io.execution.derivedKey('payment')
          const inner = await shop.send({ key, path: '/payments', headers: { 'x-inner': '1' } })
          return json(201, { inner: inner.status })
        },
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      assert.equal(first.text(), '{"inner":503}')
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 2)
      assert.deepEqual([...shop.store.records.values()].map(({ state }) => state).sort(), [
        'completed',
        'failed',
      ])
    },
  },
  {
    name: 'a refusal of the inner layer is not recorded as the answer of the outer operation',
    points: ['44'],
    check: async (harness) => {
      const shop: Shop = await openShop(harness, {
        handler: async (io) => {
          if (io.header('x-inner') === '1') return json(201, { inner: true })
          // The outer key itself: in flight, and with another body a mismatch.
          const same = await shop.send({ key: 'a', headers: { 'x-inner': '1' } })
          isProblem(same, 409, 'request-in-flight')
          const other = await shop.send({ key: 'a', body: 'x', headers: { 'x-inner': '1' } })
          isProblem(other, 422, 'key-reused')
          return json(201, { outer: true })
        },
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
]
