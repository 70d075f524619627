import { describe, expect, it } from 'vitest'
import { hasRedisServer, type RedisServer } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import { openedRedis, openedShop } from './scene.js'

const storeTimeoutMs = 500
/** So long would a claim bar the key that nobody gave back. */
const leaseMs = 600_000

/** How often the server has run a command, in scripts too. */
const callsOf = async (server: RedisServer, command: string): Promise<number> => {
  const info = String(await server.ask('INFO', 'commandstats'))
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0)
}

describe.skipIf(!hasRedisServer).concurrent('a Redis that hangs when it is asked for a key', () => {
  it('is given up in time, and its late claim bars nobody', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const shop = await openedShop(onTestFinished, { url: redis.url }, { storeTimeoutMs, leaseMs })
    await shop.order('before')
    await redis.pause()
    const refused = await shop.order('key')
    // It has come while the server still stood still.
    expect(redis.isUp).toBe(false)
    expect(refused).toMatchObject({ status: 503, code: 'store-unavailable' })
    expect(Number(refused.retryAfter)).toBeGreaterThan(0)
    expect(shop.effects('key')).toBe(0)

    redis.resume()
    await until('the claim that came too late is given back', async () => {
      return (await callsOf(redis, 'del')) === 1
    })
    const { status, body } = await shop.order('key')
    expect(status).toBe(201)
    expect(JSON.parse(body)).toMatchObject({ attempt: 1, after: 'nothing' })
    expect(shop.effects('key')).toBe(1)
    expect(await shop.order('key')).toMatchObject({ isReplay: true, body })
  })

  it('refuses all who ask while it hangs, and the next runs once', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const shop = await openedShop(onTestFinished, { url: redis.url }, { storeTimeoutMs, leaseMs })
    await shop.order('before')
    await redis.pause()
    const sameTime = [shop.order('key'), shop.order('key')]
    const refused = [...(await Promise.all(sameTime)), await shop.order('key')]
    expect(refused.map(({ code }) => code)).toEqual(refused.map(() => 'store-unavailable'))
    expect(redis.isUp).toBe(false)

    redis.resume()
    // At once, so it may meet a claim on its way back; a lease would last longer than the test.
    const { body } = await until('the key is free', async () => {
      const answer = await shop.order('key')
      expect([201, 409]).toContain(answer.status)
      return answer.status === 201 && answer
    })
    expect(await shop.order('key')).toMatchObject({ isReplay: true, body })
    expect(shop.effects('key')).toBe(1)
  })

  it('bars nobody either when it is killed and comes back', async ({ onTestFinished }) => {
    const config = { appendonly: 'yes', appendfsync: 'always' }
    const redis = await openedRedis(onTestFinished, { config })
    const shop = await openedShop(onTestFinished, { url: redis.url }, { storeTimeoutMs, leaseMs })
    await shop.order('before')
    await redis.pause()
    expect((await shop.order('key')).code).toBe('store-unavailable')

    await redis.kill()
    await redis.start()
    const { body } = await until('the key is free', async () => {
      const answer = await shop.order('key')
      return answer.status === 201 && answer
    })
    expect(await shop.order('key')).toMatchObject({ isReplay: true, body })
    expect(shop.effects('key')).toBe(1)
  })
})
