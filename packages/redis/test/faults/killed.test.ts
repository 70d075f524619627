import { describe, expect, it } from 'vitest'
import { hasRedisServer } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import { gate, heldOrder, openedRedis, openedShop } from './scene.js'

describe.skipIf(!hasRedisServer)('a Redis that is killed while a handler runs', () => {
  describe.concurrent.each([
    ['keeps every write on disk', { appendonly: 'yes', appendfsync: 'always' }],
    ['keeps nothing on disk', {}],
  ])('and %s', (_, config) => {
    it('is told the end of the attempt when it is back, and the answer is replayed', async ({
      onTestFinished,
    }) => {
      const redis = await openedRedis(onTestFinished, { config })
      const held = gate()
      const shop = await openedShop(
        onTestFinished,
        { url: redis.url, storeTimeoutMs: 100 },
        { storeTimeoutMs: 1_000 },
        held.wait,
      )
      const first = await heldOrder(shop, held, 'key')
      await redis.kill()
      held.open()
      // The true answer, with no server there that could have been told.
      const { status, body } = await first.answer
      expect(status).toBe(201)
      await shop.heard.told('completion-retried')
      expect(shop.heard.count('completed')).toBe(0)

      await redis.start()
      await shop.heard.told('completed')
      const again = await shop.order('key')
      expect(again).toMatchObject({ status: 201, isReplay: true, body })
      expect(JSON.parse(body)).toMatchObject({ attempt: 1, after: 'nothing' })
      expect(shop.effects('key')).toBe(1)
      expect(shop.heard.count('acquired')).toBe(1)
    })

    it('has the lease while its server is back before the handler has ended', async ({
      onTestFinished,
    }) => {
      const redis = await openedRedis(onTestFinished, { config })
      const held = gate()
      const options = { leaseMs: 6_000 }
      const shop = await openedShop(onTestFinished, { url: redis.url }, options, held.wait)
      const first = await heldOrder(shop, held, 'key')
      await redis.kill()
      await redis.start()
      // Where it was lost, it is claimed again by the first beat that reaches the server.
      await until('the record is there', async () => (await redis.ask('DBSIZE')) === 1)
      const meanwhile = await shop.order('key')
      expect(meanwhile.code).toBe('request-in-flight')
      held.open()
      const { status, body } = await first.answer
      expect(status).toBe(201)
      expect(await shop.order('key')).toMatchObject({ isReplay: true, body })
      expect(shop.effects('key')).toBe(1)
    })
  })
})
