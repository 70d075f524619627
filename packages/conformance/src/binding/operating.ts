import assert from 'node:assert/strict'
import type { IdempotencyEvents } from '@retrysafe/core'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop, type Shop } from './shop.js'
import { gate, until, within } from './waiting.js'

const named: readonly (keyof IdempotencyEvents)[] = [
  'acquired',
  'takeover',
  'replayed',
  'in-flight',
  'mismatch',
  'completed',
  'failed',
  'released',
]

const heard = (shop: Shop): [name: string, detail: unknown][] => {
  const events: [string, unknown][] = []
  for (const name of named) {
    for (const { events: source } of shop.operations)
      source.on(name, (detail) => events.push([name, detail]))
  }
  return events
}

/** What an operator has. */
export const operating: readonly BindingGuarantee[] = [
  {
    name: 'close() waits for what is running, then closes the store; new requests are refused',
    points: ['40'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        handler: async () => {
          await work.opened
          return json(201, {})
        },
      })
      const conversation = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      let isClosed = false
      const closed = shop.operations[0]?.close().then(() => {
        isClosed = true
      })
      isProblem(await shop.send({ key: 'b' }), 503, 'store-unavailable')
      assert.equal(isClosed || shop.store.isClosed(), false)
      work.open()
      isFirst(await conversation.answer())
      await within('close()', closed ?? Promise.reject(new Error('no operations')))
      assert.equal(shop.store.isClosed(), true)
      assert.equal([...shop.store.records.values()][0]?.state, 'completed')
    },
  },
  {
    name: 'close() waits no longer than graceMs',
    points: ['40'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: { graceMs: 20 },
        handler: async () => {
          await work.opened
          return json(201, {})
        },
      })
      const conversation = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      await within('close()', shop.operations[0]?.close() ?? Promise.reject(new Error('none')))
      assert.equal(shop.store.isClosed(), true)
      conversation.hangUp()
      work.open()
    },
  },
  {
    name: 'a listener that throws changes nothing',
    points: ['40'],
    check: async (harness) => {
      const shop = await openShop(harness)
      for (const name of named)
        shop.operations[0]?.events.on(name, () => {
          throw new Error(`a mistake at ${name}`)
        })
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'events tell what became of a key, by its hash',
    points: ['43'],
    check: async (harness) => {
      const statuses = [500, 429, 201]
      const shop = await openShop(harness, {
        options: { scope: () => 'tenant-1' },
        handler: (_io, run) => json(statuses[run - 1] ?? 201, {}),
      })
      const events = heard(shop)
      const key = 'a key of a client'
      for (const _ of [...statuses, 'replay'])
        await shop.send({ key: `"${key}"`, json: { card: 'card-one' } })
      await shop.send({ key: `"${key}"`, json: { card: 'card-two' } })
      assert.deepEqual(
        events.map(([name]) => name),
        [
          ...['acquired', 'failed', 'acquired', 'takeover', 'released'],
          ...['acquired', 'completed', 'replayed', 'mismatch'],
        ],
      )
      const recordKey = [...shop.store.records.keys()][0]
      for (const [, detail] of events) {
        const { keyHash, scope } = detail as { keyHash: string; scope: string }
        assert.deepEqual([keyHash, scope], [recordKey, 'tenant-1'])
        for (const secret of [key, 'card-one', 'card-two'])
          assert(!JSON.stringify(detail).includes(secret), 'an event tells a secret')
      }
    },
  },
]
