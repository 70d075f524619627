import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'

/** Which requests the layer is for. */
export const applying: readonly BindingGuarantee[] = [
  {
    name: 'POST and PATCH are protected, PUT and DELETE are not',
    points: ['5'],
    check: async (harness) => {
      const routes = ['POST /orders', 'PATCH /orders', 'PUT /orders', 'DELETE /orders']
      const shop = await openShop(harness, { routes })
      for (const method of ['POST', 'PATCH']) {
        const first = await shop.send({ method, key: method })
        isReplay(await shop.send({ method, key: method }), first)
      }
      for (const method of ['PUT', 'DELETE'])
        for (const _ of ['first', 'second']) isFirst(await shop.send({ method, key: method }))
      hasRun(shop, 6)
    },
  },
  {
    name: 'methods says which methods are protected',
    points: ['5'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        routes: ['PUT /orders', 'POST /orders'],
        options: { methods: ['PUT'] },
      })
      const first = await shop.send({ method: 'PUT', key: 'a' })
      isReplay(await shop.send({ method: 'PUT', key: 'a' }), first)
      for (const _ of ['first', 'second']) isFirst(await shop.send({ key: 'a' }))
    },
  },
  {
    name: 'GET, HEAD and OPTIONS pass, whatever key they bear',
    points: ['5', '30'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        routes: ['GET /orders', 'OPTIONS /orders'],
        options: { required: true },
        handler: () => json(200, { fresh: true }),
      })
      for (const method of ['GET', 'HEAD', 'OPTIONS'])
        for (const key of ['a', 'a', undefined]) {
          const answer = await shop.send({ method, ...(key && { key }) })
          isFirst(answer, 200)
          assert.equal(answer.text(), method === 'HEAD' ? '' : '{"fresh":true}')
        }
      assert.equal(shop.store.calls('acquire'), 0)
    },
  },
  {
    name: 'a safe method in methods is an error at construction',
    points: ['5', '45'],
    check: async (harness) => {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE'])
        await assert.rejects(
          openShop(harness, { options: { methods: ['POST', method] } }),
          ({ code, message }: Error & { code: string }) =>
            code === 'option-invalid' && message.includes('"methods"') && message.includes(method),
        )
    },
  },
  {
    name: 'without a key a request passes, and the store is not asked',
    points: ['6'],
    check: async (harness) => {
      const shop = await openShop(harness, { handler: () => json(201, { same: true }) })
      const bare = await openShop(harness, {
        layers: () => [],
        handler: () => json(201, { same: true }),
      })
      const untouched = await bare.send()
      for (const _ of ['first', 'second']) {
        const answer = await shop.send()
        isFirst(answer)
        assert.deepEqual(withoutDate(answer.headers), withoutDate(untouched.headers))
        assert(answer.body.equals(untouched.body))
      }
      hasRun(shop, 2)
      assert.equal(shop.store.calls('acquire'), 0)
    },
  },
  {
    name: 'required refuses a request without a key',
    points: ['6'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { required: true } })
      isProblem(await shop.send(), 400, 'key-missing')
      hasRun(shop, 0)
      isFirst(await shop.send({ key: 'a' }))
    },
  },
  {
    name: 'skip lets a request pass, with its key',
    points: ['8'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { required: true, skip: async (request) => request.header('x-internal') === '1' },
      })
      for (const _ of ['first', 'second'])
        isFirst(await shop.send({ key: 'a', headers: { 'x-internal': '1' } }))
      isFirst(await shop.send({ headers: { 'x-internal': '1' } }))
      assert.equal(shop.store.calls('acquire'), 0)
      isProblem(await shop.send(), 400, 'key-missing')
    },
  },
]

const withoutDate = (headers: readonly (readonly [string, string])[]) =>
  headers.filter(([name]) => name.toLowerCase() !== 'date')
