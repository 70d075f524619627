import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { openShop } from './shop.js'

const uuid = '8e03978e-40d5-43e8-bc93-6894a57f9324'

/** How the key is read from the request. */
export const keys: readonly BindingGuarantee[] = [
  {
    name: 'a key in quotes and the bare key are the same key',
    points: ['1'],
    check: async (harness) => {
      const shop = await openShop(harness)
      const first = await shop.send({ key: `"${uuid}"` })
      isFirst(first)
      isReplay(await shop.send({ key: uuid }), first)
      assert.equal(shop.runs[0]?.key, uuid)
    },
  },
  {
    name: 'parameters behind a key in quotes do not count',
    points: ['1'],
    check: async (harness) => {
      const shop = await openShop(harness)
      const first = await shop.send({ key: '"order 1"' })
      isReplay(await shop.send({ key: '"order 1"; retry=2;last' }), first)
    },
  },
  {
    name: 'a backslash in quotes escapes a quote or a backslash',
    points: ['1'],
    check: async (harness) => {
      const shop = await openShop(harness)
      isFirst(await shop.send({ key: String.raw`"a\"b\\c"` }))
      assert.equal(shop.runs[0]?.key, String.raw`a"b\c`)
    },
  },
  {
    name: 'strict takes no bare key',
    points: ['1'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { keySyntax: 'strict' } })
      isProblem(await shop.send({ key: 'bare' }), 400, 'key-invalid')
      isFirst(await shop.send({ key: '"quoted"' }))
    },
  },
  {
    name: 'opaque takes the value as it stands, quotes and parameters included',
    points: ['1'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { keySyntax: 'opaque' } })
      for (const key of ['"a"', 'a', '"a"; b=1', 'a, b']) isFirst(await shop.send({ key }))
      assert.deepEqual(
        shop.runs.map(({ key }) => key),
        ['"a"', 'a', '"a"; b=1', 'a, b'],
      )
    },
  },
  {
    name: 'a malformed or empty key is refused, even where it is optional',
    points: ['2'],
    check: async (harness) => {
      const shop = await openShop(harness)
      for (const key of ['', '""', '"open', 'a b', 'a,b', 'a;b', '"a" "b"', 'caf\u00e9', '"a";B'])
        isProblem(await shop.send({ key }), 400, 'key-invalid')
      hasRun(shop, 0)
    },
  },
  {
    name: 'a key on more than one line is refused, also where the lines are alike',
    points: ['2'],
    check: async (harness) => {
      const shop = await openShop(harness)
      for (const key of [
        ['a', 'b'],
        ['a', 'a'],
      ])
        isProblem(await shop.send({ key }), 400, 'key-invalid')
      hasRun(shop, 0)
    },
  },
  {
    name: 'a key has 255 characters at most',
    points: ['3'],
    check: async (harness) => {
      const shop = await openShop(harness)
      isFirst(await shop.send({ key: `"${'\\"'.repeat(255)}"` }))
      isProblem(await shop.send({ key: 'x'.repeat(256) }), 400, 'key-invalid')
      hasRun(shop, 1)
    },
  },
  {
    name: 'maxKeyLength bounds a key, counted after decoding',
    points: ['3'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { maxKeyLength: 8 } })
      isFirst(await shop.send({ key: `"${'\\"'.repeat(8)}"` }))
      isProblem(await shop.send({ key: 'x'.repeat(9) }), 400, 'key-invalid')
    },
  },
  {
    name: 'keys differ by case and by white space in quotes',
    points: ['3'],
    check: async (harness) => {
      const shop = await openShop(harness)
      for (const key of ['"key"', '"KEY"', '" key"', '"key "']) isFirst(await shop.send({ key }))
      hasRun(shop, 4)
    },
  },
  {
    name: 'keyFormat narrows the keys: a UUID, a regular expression, a function',
    points: ['3'],
    check: async (harness) => {
      for (const [keyFormat, right, wrong] of [
        ['uuid', uuid, 'order-1'],
        [/^order-\d$/g, 'order-1', uuid],
        [(key: string) => key.startsWith('order'), 'order-1', uuid],
      ] as const) {
        const shop = await openShop(harness, { options: { keyFormat } })
        const first = await shop.send({ key: right })
        isReplay(await shop.send({ key: right }), first)
        isProblem(await shop.send({ key: wrong }), 400, 'key-invalid')
      }
    },
  },
  {
    name: 'header renames the field that carries the key',
    points: ['3'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { header: 'X-Request-Key' } })
      const first = await shop.send({ headers: { 'x-request-key': 'a' } })
      isReplay(await shop.send({ headers: { 'x-request-key': 'a' }, key: 'b' }), first)
    },
  },
  {
    name: 'key() takes the key from elsewhere, as it stands; undefined is no key',
    points: ['3'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { key: async (request) => request.header('x-event') },
      })
      const first = await shop.send({ headers: { 'x-event': '"a", b' } })
      isReplay(await shop.send({ headers: { 'x-event': '"a", b' }, key: 'c' }), first)
      isFirst(await shop.send({ key: 'c' }))
      assert.deepEqual(
        shop.runs.map(({ key }) => key),
        ['"a", b', undefined],
      )
    },
  },
  {
    name: 'namespaces share a store and no keys',
    points: ['4'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { namespace: 'shop' } })
      const bank = await openShop(harness, { options: { namespace: 'bank' }, store: shop.store })
      isFirst(await shop.send({ key: 'a' }))
      isFirst(await bank.send({ key: 'a' }))
    },
  },
  {
    name: 'scope and key never run together: a:b and c is not a and b:c',
    points: ['4'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { scope: (request) => request.header('x-tenant') ?? '' },
      })
      isFirst(await shop.send({ key: 'c', headers: { 'x-tenant': 'a:b' } }))
      isFirst(await shop.send({ key: 'b:c', headers: { 'x-tenant': 'a' } }))
    },
  },
  {
    name: 'no text of a client reaches the store',
    points: ['4'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { scope: () => 'tenant-1' } })
      await shop.send({ key: uuid, body: 'secret body', headers: { 'content-type': 'text/plain' } })
      const held = JSON.stringify([...shop.store.records])
      for (const text of [uuid, 'tenant-1', 'secret body', '/orders'])
        assert(!held.includes(text), `the store holds ${text}`)
    },
  },
]
