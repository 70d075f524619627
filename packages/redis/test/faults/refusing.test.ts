import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { hasRedisServer, type RedisServer } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import type { Answer } from './order.js'
import { copied, linked } from './replication.js'
import { gate, heldOrder, type Later, openedRedis, openedShop, type Scene } from './scene.js'

const config = { 'repl-diskless-sync-delay': 0 }
const refusal = { status: 503, code: 'store-unavailable' }

/** Asks until the server is there again. */
const whenBack = (shop: Scene, key: string): Promise<Answer> =>
  until('the server is back', async () => {
    const answer = await shop.order(key)
    if (answer.status !== 503) return answer
    expect(answer).toMatchObject(refusal)
    return false
  })

const runsOnce = async (shop: Scene, key: string): Promise<void> => {
  const { status, body } = await shop.order(key)
  expect(status).toBe(201)
  expect(JSON.parse(body).attempt).toBe(1)
  expect(await shop.order(key)).toMatchObject({ status: 201, isReplay: true, body })
  expect(shop.effects(key)).toBe(1)
}

const openedReplica = async (later: Later, master: RedisServer): Promise<RedisServer> => {
  const { host, port } = master
  const replica = await openedRedis(later, { config: { replicaof: `${host} ${port}` } })
  await linked(master, replica)
  return replica
}

const suite = describe.skipIf(!hasRedisServer).concurrent

suite('a server that knows no script of ours', () => {
  for (const [how, isCounted] of [
    ['by itself', false],
    ['with replicas that are counted', true],
  ] as const)
    it(`is taught it again in the same call: ${how}`, async ({ onTestFinished }) => {
      const redis = await openedRedis(onTestFinished, { config })
      const replica = isCounted ? await openedReplica(onTestFinished, redis) : undefined
      const counted = isCounted ? { replicas: { count: 1 } } : {}
      let during = async (): Promise<void> => {}
      const source = { url: redis.url, ...counted }
      const shop = await openedShop(onTestFinished, source, {}, () => during())
      const forget = async () => void (await redis.ask('SCRIPT', 'FLUSH'))
      await runsOnce(shop, 'before')
      await forget()
      await runsOnce(shop, 'forgotten')
      during = forget
      await runsOnce(shop, 'forgotten-again')

      during = async () => {}
      await redis.kill()
      await redis.start()
      if (replica) await linked(redis, replica)
      await runsOnce(shop, 'restarted')
      expect(shop.heard.count('completion-retried')).toBe(0)
    })
})

suite('a server that cannot be written to', () => {
  it('refuses new keys and replays old ones, being the replica of another', async ({
    onTestFinished,
  }) => {
    const master = await openedRedis(onTestFinished, { config })
    const replica = await openedReplica(onTestFinished, master)
    const writing = await openedShop(onTestFinished, { url: master.url })
    const reading = await openedShop(onTestFinished, { url: replica.url })
    const { body } = await writing.order('old')
    await copied(master, replica)
    expect(await reading.order('new')).toMatchObject(refusal)
    expect(await whenBack(reading, 'old')).toMatchObject({ status: 201, isReplay: true, body })
    expect(reading.effects('new') + reading.effects('old')).toBe(0)

    await replica.ask('REPLICAOF', 'NO', 'ONE')
    expect((await whenBack(reading, 'new')).status).toBe(201)
  })

  it('refuses new keys and replays old ones, being out of memory', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const held = gate()
    let during = async (): Promise<void> => {}
    const shop = await openedShop(
      onTestFinished,
      { url: redis.url },
      { storeTimeoutMs: 1_000 },
      () => during(),
    )
    const old = await shop.order('old')
    during = held.wait
    const first = await heldOrder(shop, held, 'held')
    await redis.ask('CONFIG', 'SET', 'maxmemory', '1')
    expect(await shop.order('new')).toMatchObject(refusal)
    expect(shop.effects('new')).toBe(0)
    const again = await shop.order('old')
    expect(again).toMatchObject({ status: 201, isReplay: true, body: old.body })
    expect((await shop.order('held')).code).toBe('request-in-flight')
    held.open()
    const { status, body } = await first.answer
    expect(status).toBe(201)
    expect(shop.heard.count('completed')).toBe(1)

    await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
    await shop.heard.told('completed', 2)
    expect(await shop.order('held')).toMatchObject({ status: 201, isReplay: true, body })
    expect((await shop.order('new')).status).toBe(201)
    expect(shop.effects('held')).toBe(1)
  })

  it('refuses all keys, being busy with loading what it has on disk', async ({
    onTestFinished,
  }) => {
    const redis = await openedRedis(onTestFinished, { config: { appendonly: 'yes' } })
    const fill = "for i = 1, 10000 do redis.call('SET', 'filling ' .. i, i) end"
    await redis.ask('EVAL', fill, '0')
    const patient = await openedShop(onTestFinished, { url: redis.url, storeTimeoutMs: 200 })
    const client = new Redis(redis.url, { enableReadyCheck: false })
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    const blunt = await openedShop(onTestFinished, { client })
    const old = await whenBack(patient, 'old')

    // Microseconds for each key; every 1,024 of them it listens.
    await redis.ask('CONFIG', 'SET', 'key-load-delay', '200')
    await redis.ask('CONFIG', 'REWRITE')
    await redis.kill()
    const started = redis.start()
    const isLoading = async () =>
      String(await redis.ask('INFO', 'persistence')).includes('\nloading:1\r')
    await until('the server is loading', isLoading)
    const refused = await Promise.all([patient.order('old'), blunt.order('new')])
    for (const each of refused) expect(each).toMatchObject(refusal)
    expect(await isLoading()).toBe(true)
    expect(blunt.effects('new')).toBe(0)

    await redis.ask('CONFIG', 'SET', 'key-load-delay', '0')
    await started
    expect(await whenBack(patient, 'old')).toMatchObject({ isReplay: true, body: old.body })
    expect((await whenBack(blunt, 'new')).status).toBe(201)
  })
})

suite('a server that is not there when the application starts', () => {
  it('refuses all keys, and takes them once it is there', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    await redis.kill()
    const shop = await openedShop(onTestFinished, { url: redis.url, storeTimeoutMs: 100 })
    const refused = await Promise.all([shop.order('key'), shop.order('key'), shop.order('other')])
    for (const each of refused) expect(each).toMatchObject(refusal)
    expect(shop.effects('key')).toBe(0)
    await redis.start()
    const { status, body } = await whenBack(shop, 'key')
    expect(status).toBe(201)
    expect(await shop.order('key')).toMatchObject({ isReplay: true, body })
    expect(shop.effects('key')).toBe(1)
  })
})
