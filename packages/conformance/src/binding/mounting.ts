import assert from 'node:assert/strict'
import { hasRun, isFirst, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { down } from './suite-store.js'

/** The layer more than once on the way of a request, and where it stands. */
export const mounting: readonly BindingGuarantee[] = [
  {
    name: 'mounted twice with equal options, it claims once',
    points: ['8'],
    check: async (harness) => {
      const keyFormat = /^[a-z]$/
      const shop = await openShop(harness, {
        layers: (usual) => [
          { ...usual, keyFormat, methods: ['POST'] },
          { ...usual, keyFormat: /^[a-z]$/, methods: ['POST'] },
        ],
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
      assert.equal(shop.runs[0]?.protected, true)
      assert.equal(shop.store.calls('complete'), 1)
    },
  },
  {
    name: 'mounted twice with different options, the error names the option, and nothing has run',
    points: ['8', '42'],
    check: async (harness) => {
      const errors: unknown[] = []
      const shop = await openShop(harness, {
        everywhere: (usual) => [usual, { ...usual, retentionMs: 5 }],
        onError: (error) => {
          errors.push(error)
          return json(500, { own: true })
        },
      })
      const answer = await shop.send({ key: 'a' })
      isFirst(answer, 500)
      assert.equal(answer.text(), '{"own":true}')
      const { code, message } = errors[0] as Error & { code: string }
      assert.equal(code, 'mounted-twice')
      assert(message.includes('"retentionMs"'), message)
      hasRun(shop, 0)
      assert.equal(stateOf(shop), 'absent')
    },
  },
  {
    name: 'what the outer layer let pass, the inner one takes as if it stood alone',
    points: ['8'],
    check: async (harness) => {
      for (const outer of [{ skip: () => true }, { methods: ['PUT'] }, { header: 'X-Other-Key' }]) {
        const shop = await openShop(harness, { layers: (usual) => [{ ...usual, ...outer }, usual] })
        const first = await shop.send({ key: 'a' })
        isReplay(await shop.send({ key: 'a' }), first)
        hasRun(shop, 1)
      }
    },
  },
  {
    name: 'mounted twice, it runs unprotected once where the store is down and that is wished for',
    points: ['8', '25', '36'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { onStoreDown: 'run-unprotected' },
        layers: (usual) => [usual, usual],
      })
      shop.store.faults.acquire = down
      isFirst(await shop.send({ key: 'a', json: { sku: 1 } }))
      hasRun(shop, 1)
    },
  },
  {
    name: 'on the whole application, it protects every route',
    points: ['8', '19'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        everywhere: (usual) => [usual],
        routes: ['POST /orders', 'POST /shop:/refunds'],
      })
      for (const path of ['/orders', '/shop/refunds']) {
        const first = await shop.send({ path, key: path })
        isFirst(first)
        isReplay(await shop.send({ path, key: path }), first)
      }
      hasRun(shop, 2)
    },
  },
]
