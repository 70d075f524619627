import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { RedisOptions } from '../../src/index.js'
import { hasRedisServer, type RedisConfig, type RedisServer } from '../servers/redis-server.js'
import { linked } from './replication.js'
import { gate, type Heard, heldOrder, type Later, openedRedis, openedShop } from './scene.js'
import { everythingOn } from './secrets.js'

const secretKey = 'key-of-a-payment'
const secretBody = 'body-of-a-payment'

/** What the layer told of errors. */
const errorsIn = ({ all }: Heard): Error[] =>
  all.flatMap(([, detail]) => (detail as { error?: Error }).error ?? [])

/** The token of the one record on the server. */
const tokenOn = async (redis: RedisServer): Promise<string> => {
  const [key] = (await redis.ask('KEYS', '*')) as [string]
  const value = String(await redis.ask('GET', key))
  const [token] = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(value) ?? []
  expect(token).toBeDefined()
  return String(token)
}

const expectNoSecret = (errors: readonly Error[], secrets: readonly string[]): void => {
  expect(errors.length).toBeGreaterThan(0)
  for (const error of errors) {
    expect(error).toMatchObject({ code: 'store-unavailable' })
    const shown = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    const all = everythingOn(error) + shown + JSON.stringify(error)
    for (const secret of secrets) expect(all).not.toContain(secret)
  }
}

describe.skipIf(!hasRedisServer).concurrent('the errors of which the layer tells', () => {
  /** An attempt whose claim was written, and whose ending meets a fault. */
  const attempt = async (
    later: Later,
    redis: RedisServer,
    options: RedisOptions,
    fault: () => Promise<unknown>,
  ) => {
    const held = gate()
    const shop = await openedShop(
      later,
      { url: redis.url, ...options },
      { storeTimeoutMs: 500 },
      async (execution) => {
        await held.wait()
        // What is to be stored has it too.
        execution.markEffects().catch(() => {})
      },
      secretBody,
    )
    const first = await heldOrder(shop, held, secretKey, { body: secretBody })
    const token = await tokenOn(redis)
    await fault()
    held.open()
    const { status, body } = await first.answer
    expect(status).toBe(201)
    expect(body).toContain(secretBody)
    await shop.heard.told('completion-retried')
    // A key that cannot be claimed is told of too.
    await shop.order(`${secretKey}-too`, { body: secretBody })
    await shop.heard.told('store-down')
    return { errors: errorsIn(shop.heard), secrets: [secretKey, secretBody, token] }
  }

  it('bear neither key, nor token, nor answer, of a server that is out of memory', async ({
    onTestFinished,
  }) => {
    const redis = await openedRedis(onTestFinished)
    const { errors, secrets } = await attempt(onTestFinished, redis, {}, () =>
      redis.ask('CONFIG', 'SET', 'maxmemory', '1'),
    )
    expect(errors.some(({ message }) => message.includes('OOM'))).toBe(true)
    expectNoSecret(errors, secrets)
  })

  it('bear none of them where replicas are counted', async ({ onTestFinished }) => {
    const config: RedisConfig = { 'repl-diskless-sync-delay': 0 }
    const redis = await openedRedis(onTestFinished, { config })
    const replicaof = `${redis.host} ${redis.port}`
    await linked(redis, await openedRedis(onTestFinished, { config: { replicaof } }))
    const replicas = { count: 1 }
    const { errors, secrets } = await attempt(onTestFinished, redis, { replicas }, () =>
      redis.ask('CONFIG', 'SET', 'maxmemory', '1'),
    )
    expect(errors.some(({ message }) => message.includes('OOM'))).toBe(true)
    expectNoSecret(errors, secrets)
  })

  it('bear none of them where the server has gone', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const options = { storeTimeoutMs: 100 }
    const { errors, secrets } = await attempt(onTestFinished, redis, options, () => redis.kill())
    expectNoSecret(errors, secrets)
  })

  it('bear none of them where the server hangs', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const options = { storeTimeoutMs: 100 }
    const { errors, secrets } = await attempt(onTestFinished, redis, options, () => redis.pause())
    expectNoSecret(errors, secrets)
  })

  it('bear none of them where another type is under the key', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const { errors, secrets } = await attempt(onTestFinished, redis, {}, async () => {
      const [key] = (await redis.ask('KEYS', '*')) as [string]
      await redis.ask('DEL', key)
      await redis.ask('LPUSH', key, 'a')
      await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
    })
    expectNoSecret(errors, secrets)
  })

  it('bear none of them where the server knows no scripts, and names what it was asked', async ({
    onTestFinished,
  }) => {
    const config = { 'rename-command': 'EVALSHA ""' }
    const redis = await openedRedis(onTestFinished, { config })
    const shop = await openedShop(onTestFinished, { url: redis.url })
    expect((await shop.order(secretKey, { body: secretBody })).code).toBe('store-unavailable')
    const errors = errorsIn(shop.heard)
    expect(errors.some(({ message }) => message.includes('unknown command'))).toBe(true)
    expectNoSecret(errors, [secretKey, secretBody])
    // Nothing was written that would tell the token; every token looks so.
    for (const error of errors) expect(everythingOn(error)).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/)
  })
})
