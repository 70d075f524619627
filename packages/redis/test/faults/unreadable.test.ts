import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../servers/redis-server.js'
import { openedShop } from './scene.js'

/** What somebody does by hand to the key of a completed record. */
const deeds: Record<string, (redis: RedisServer, key: string) => Promise<unknown>> = {
  'a list': async (redis, key) => {
    await redis.ask('DEL', key)
    await redis.ask('LPUSH', key, 'a', 'b')
  },
  'a hash': async (redis, key) => {
    await redis.ask('DEL', key)
    await redis.ask('HSET', key, 'state', 'completed')
  },
  'no bytes': (redis, key) => redis.ask('SET', key, ''),
  'a byte': (redis, key) => redis.ask('SET', key, '1'),
  text: (redis, key) => redis.ask('SET', key, 'nothing that this store has written, and long'),
  'what begins like a record': (redis, key) => redis.ask('SET', key, `1in00${'~'.repeat(200)}`),
  'a later version': (redis, key) => redis.ask('SETRANGE', key, '0', '2'),
  'a state of its own': (redis, key) => redis.ask('SETRANGE', key, '1', 'x'),
  'a record that is cut off': (redis, key) =>
    redis.ask(
      'EVAL',
      "redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, 40))",
      '1',
      key,
    ),
  'a record whose answer is cut off': (redis, key) =>
    redis.ask(
      'EVAL',
      "redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, -2))",
      '1',
      key,
    ),
  'a record whose answer was changed': (redis, key) =>
    redis.ask(
      'EVAL',
      "redis.call('SETRANGE', KEYS[1], redis.call('STRLEN', KEYS[1]) - 3, '~')",
      '1',
      key,
    ),
}

describe.skipIf(!hasRedisServer)('a key of ours that holds', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  it.each(Object.keys(deeds))('%s is refused, and nothing runs', async (what) => {
    const prefix = `${what}:`
    const source = { url: redis.url, prefix }
    const shop = await openedShop(onTestFinished, source)
    const rash = await openedShop(onTestFinished, source, { onStoreDown: 'run-unprotected' })
    expect((await shop.order('key')).status).toBe(201)
    expect((await rash.order('key')).isReplay).toBe(true)
    const [key] = (await redis.ask('KEYS', `${prefix}*`)) as [string]
    await deeds[what]?.(redis, key)

    for (const each of [shop, rash])
      expect(await each.order('key')).toMatchObject({ status: 503, code: 'store-unavailable' })
    expect([shop.effects('key'), rash.effects('key')]).toEqual([1, 0])
    expect(rash.heard.count('unprotected')).toBe(0)
    expect((await shop.order('another')).status).toBe(201)
  })
})
