import assert from 'node:assert/strict'
import { isFirst, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee, HandlerIo } from './harness.js'
import { json, openShop, type Shop } from './shop.js'

const asTold = (io: HandlerIo) => json(Number(io.header('x-status')), { given: true })
const answering = (status: number) => ({ key: 'a', headers: { 'x-status': String(status) } })

const isKept = async (shop: Shop, status: number): Promise<void> => {
  const first = await shop.send(answering(status))
  isFirst(first, status)
  isReplay(await shop.send(answering(status)), first)
  shop.store.records.clear()
}
const isReleased = async (shop: Shop, status: number): Promise<void> => {
  for (const _ of ['first', 'second']) {
    isFirst(await shop.send(answering(status)), status)
    assert.equal(stateOf(shop), 'absent', `${status} left a record`)
    assert.equal(shop.runs.at(-1)?.attempt, 1)
  }
}
const runsAgain = async (shop: Shop, status: number): Promise<void> => {
  for (const attempt of [1, 2]) {
    isFirst(await shop.send(answering(status)), status)
    assert.equal(stateOf(shop), 'failed', `${status} did not fail`)
    assert.equal(shop.runs.at(-1)?.attempt, attempt)
  }
  shop.store.records.clear()
}

/** Which answers are kept, which run again and which leave no record. */
export const keeping: readonly BindingGuarantee[] = [
  {
    name: 'success, redirection and business refusals are kept',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, { handler: asTold })
      for (const status of [200, 202, 302, 400, 402, 404, 410, 422]) await isKept(shop, status)
    },
  },
  {
    name: '401, 403 and 429 leave no record',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, { handler: asTold })
      for (const status of [401, 403, 429]) await isReleased(shop, status)
    },
  },
  {
    name: '408, 409, 423, 425 and 5xx run again, with a higher attempt',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, { handler: asTold })
      for (const status of [408, 409, 423, 425, 500, 502, 503, 504]) await runsAgain(shop, status)
    },
  },
  {
    name: 'a failed key is bound to its request',
    points: ['17', '26'],
    check: async (harness) => {
      const shop = await openShop(harness, { handler: asTold })
      await shop.send({ ...answering(500), json: { sku: 1 } })
      const other = await shop.send({ ...answering(201), json: { sku: 2 } })
      assert.equal(other.status, 422)
      isFirst(await shop.send({ ...answering(201), json: { sku: 1 } }))
    },
  },
  {
    name: 'keep success-only keeps 2xx and 3xx, releases 4xx and fails 5xx',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, { handler: asTold, options: { keep: 'success-only' } })
      for (const status of [201, 303]) await isKept(shop, status)
      for (const status of [404, 409, 422]) await isReleased(shop, status)
      await runsAgain(shop, 503)
    },
  },
  {
    name: 'keep all keeps every answer, that of a throw too',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { keep: 'all' },
        handler: (io) => {
          if (io.header('x-status') === '500') throw new Error('boom')
          return asTold(io)
        },
      })
      for (const status of [201, 401, 409, 503, 500]) await isKept(shop, status)
    },
  },
  {
    name: 'a function as keep decides from status and headers',
    points: ['26'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: asTold,
        options: {
          keep: ({ status, headers }) => {
            const isJson = headers.some(
              ([name, value]) => name.toLowerCase() === 'content-type' && value.includes('json'),
            )
            if (!isJson) return 'complete'
            return status === 201 ? 'fail' : status === 500 ? 'complete' : 'release'
          },
        },
      })
      await runsAgain(shop, 201)
      await isKept(shop, 500)
      await isReleased(shop, 200)
    },
  },
  {
    name: 'a function as keep that throws or answers nonsense costs no record',
    points: ['26'],
    check: async (harness) => {
      for (const keep of [
        () => 'perhaps' as never,
        () => {
          throw new Error('a mistake')
        },
      ]) {
        const shop = await openShop(harness, { handler: asTold, options: { keep } })
        await isKept(shop, 201)
        await runsAgain(shop, 500)
      }
    },
  },
  {
    name: 'a kept answer lives for retentionMs, and a replay does not lengthen that',
    points: ['34'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { retentionMs: 5_000 } })
      const first = await shop.send({ key: 'a' })
      for (const ms of [3_000, 1_999]) {
        shop.store.advance(ms)
        isReplay(await shop.send({ key: 'a' }), first)
      }
      shop.store.advance(1)
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(shop.runs[1]?.attempt, 1)
    },
  },
  {
    name: 'purgeExpired() removes by hand what has expired, and says how much',
    points: ['34'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { retentionMs: 5_000 } })
      for (const key of ['a', 'b', 'c']) await shop.send({ key })
      const [operations] = shop.operations
      assert.equal(await operations?.purgeExpired(), 0)
      shop.store.advance(5_000)
      assert.equal(await operations?.purgeExpired(2), 2)
      assert.equal(await operations?.purgeExpired(), 1)
      assert.equal(shop.store.records.size, 0)
    },
  },
]
