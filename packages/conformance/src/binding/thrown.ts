import assert from 'node:assert/strict'
import { hasRun, isFirst, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'

/** Some frameworks show the stack, whose lines differ with what is mounted. */
const boom = (): Error => Object.assign(new Error('boom'), { stack: 'Error: boom' })

/** Errors of a handler, and routes that nobody has. */
export const thrown: readonly BindingGuarantee[] = [
  {
    name: 'what a handler throws reaches the error handling of the application, unchanged',
    points: ['27'],
    check: async (harness) => {
      const errors: unknown[] = []
      const error = boom()
      const shop = await openShop(harness, {
        handler: () => {
          throw error
        },
        onError: (caught) => {
          errors.push(caught)
          return json(502, { own: true })
        },
      })
      const answer = await shop.send({ key: 'a' })
      isFirst(answer, 502)
      assert.equal(answer.text(), '{"own":true}')
      assert.equal(errors.length, 1)
      assert.equal(errors[0], error)
    },
  },
  {
    name: 'the client of a handler that throws gets what it would get without the layer',
    points: ['27'],
    check: async (harness) => {
      const handler = () => {
        throw boom()
      }
      const shop = await openShop(harness, { handler })
      const bare = await openShop(harness, { handler, layers: () => [] })
      const [answer, untouched] = [await shop.send({ key: 'a' }), await bare.send()]
      isFirst(answer, 500)
      assert.equal(answer.text(), untouched.text())
      assert.equal(answer.header('Content-Type'), untouched.header('Content-Type'))
    },
  },
  {
    name: 'a handler that throws runs again, with a higher attempt',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: (_io, run) => {
          if (run === 1) throw boom()
          return json(201, {})
        },
      })
      isFirst(await shop.send({ key: 'a' }), 500)
      isFirst(await shop.send({ key: 'a' }))
      assert.deepEqual([shop.runs[1]?.attempt, shop.runs[1]?.after], [2, 'failed'])
    },
  },
  {
    name: 'a thrown error counts as the answer that the framework makes of it',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: (io) => {
          throw io.error(422, 'no stock')
        },
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 422)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'a thrown error counts as the answer that the application makes of it',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: () => {
          throw boom()
        },
        onError: () => json(404, { code: 'no such sku' }),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 404)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'the 404 of a route that nobody has leaves no record',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        everywhere: (usual) => [usual],
        routes: ['POST /orders', 'POST /shop:/refunds'],
      })
      for (const path of ['/nothing', '/shop/nothing'])
        for (const _ of ['first', 'second']) {
          isFirst(await shop.send({ path, key: 'a' }), 404)
          assert.equal(shop.store.records.size, 0)
        }
      assert.equal(shop.store.calls('acquire'), 4)
    },
  },
  {
    name: 'the 404 of a handler is kept, also where the layer is on the whole application',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        everywhere: (usual) => [usual],
        handler: () => json(404, { code: 'no such sku' }),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 404)
      isReplay(await shop.send({ key: 'a' }), first)
    },
  },
]
