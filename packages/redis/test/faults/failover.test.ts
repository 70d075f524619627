import { Cluster, Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RedisCluster, startCluster } from '../servers/redis-cluster.js'
import { type RedisSentinel, startSentinel } from '../servers/redis-sentinel.js'
import { hasRedisServer, type RedisServer } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import type { Answer } from './order.js'
import { copied, linked } from './replication.js'
import { gate, heldOrder, type Later, openedShop, type Scene } from './scene.js'

/** Asks until there are servers that take the key. */
const afterwards = (shop: Scene, key: string): Promise<Answer> =>
  until('the key is taken', async () => {
    const answer = await shop.order(key)
    return answer.status !== 503 && answer
  })

// Keys of this slot alone: the test must know whom to kill.
const prefix = 'retrysafe{of one slot}:'

const useCluster = (): { cluster(): RedisCluster; client(): Cluster } => {
  let cluster: RedisCluster
  let client: Cluster
  beforeAll(async () => {
    cluster = await startCluster()
    client = new Cluster(cluster.startupNodes)
    client.on('error', () => {})
  })
  afterAll(async () => {
    client?.disconnect()
    await cluster?.stop()
  })
  return { cluster: () => cluster, client: () => client }
}

/** The two servers of the slot. The cluster may be asked for the next when the former master is back and has its copy. */
const serversOf = async (cluster: RedisCluster, later: Later) => {
  const master = await cluster.masterOf(prefix)
  const replica = await cluster.replicaOf(prefix)
  return {
    master,
    replica,
    failOver: async (): Promise<void> => {
      await master.kill()
      replica.resume()
      expect(await cluster.nextMasterOf(prefix, master)).toBe(replica)
      later(async () => {
        await master.start()
        await linked(replica, master)
      })
    },
  }
}

// Each suite has servers of its own, and waits for them most of the time.
const suites = describe.skipIf(!hasRedisServer).concurrent

suites('a cluster whose master is killed between a request and its retry', () => {
  const { cluster, client } = useCluster()

  it.sequential('replays the answer that the replica has received', async ({ onTestFinished }) => {
    const { master, replica, failOver } = await serversOf(cluster(), onTestFinished)
    const shop = await openedShop(onTestFinished, { client: client(), prefix })
    const { status, body } = await shop.order('key')
    expect(status).toBe(201)
    await copied(master, replica)
    await failOver()
    const again = await afterwards(shop, 'key')
    expect(again).toMatchObject({ status: 201, isReplay: true, body })
    expect(shop.effects('key')).toBe(1)
  })

  it.sequential('runs once more, as the first attempt, where the replica had not received it', async ({
    onTestFinished,
  }) => {
    const { master, replica, failOver } = await serversOf(cluster(), onTestFinished)
    const shop = await openedShop(onTestFinished, { client: client(), prefix })
    await replica.pause()
    // What is sent to a connection that stands would be read after the pause.
    await master.ask('CLIENT', 'KILL', 'TYPE', 'replica')
    const first = await shop.order('lost')
    expect(first.status).toBe(201)
    await failOver()
    const again = await afterwards(shop, 'lost')
    expect(again).toMatchObject({ status: 201, isReplay: false })
    expect(JSON.parse(again.body)).toMatchObject({ attempt: 1, after: 'nothing' })
    expect(shop.effects('lost')).toBe(2)
    expect(await shop.order('lost')).toMatchObject({ isReplay: true, body: again.body })
  })
})

suites('a cluster whose replicas are counted', () => {
  const { cluster, client } = useCluster()
  const counted = () => ({ client: client(), prefix, replicas: { count: 1, timeoutMs: 500 } })

  it.sequential('refuses a key that its replica did not get, and never loses one that it got', async ({
    onTestFinished,
  }) => {
    const { master, replica, failOver } = await serversOf(cluster(), onTestFinished)
    const shop = await openedShop(onTestFinished, counted())
    await replica.pause()
    onTestFinished(async () => replica.resume())
    const refused = await shop.order('key')
    expect(refused).toMatchObject({ status: 503, code: 'store-unavailable' })
    expect(shop.effects('key')).toBe(0)
    const before = shop.heard.all.find(([name]) => name === 'store-down')?.[1]
    const { keyHash } = before as { keyHash: string }
    await until('the claim is given back', async () => {
      return (await master.ask('EXISTS', prefix + keyHash)) === 0
    })
    replica.resume()
    const first = await afterwards(shop, 'key')
    expect(first.status).toBe(201)
    expect(JSON.parse(first.body)).toMatchObject({ attempt: 1, after: 'nothing' })

    // With nobody looking whether the replica has it: that is the store's to do.
    await failOver()
    const again = await afterwards(shop, 'key')
    expect(again).toMatchObject({ status: 201, isReplay: true, body: first.body })
    expect(shop.effects('key')).toBe(1)
  })

  it.sequential('gets the end of an attempt when the replica is back, while the answer has left', async ({
    onTestFinished,
  }) => {
    const { replica, failOver } = await serversOf(cluster(), onTestFinished)
    const held = gate()
    const shop = await openedShop(onTestFinished, counted(), { storeTimeoutMs: 1_300 }, held.wait)
    const first = await heldOrder(shop, held, 'late')
    await replica.pause()
    onTestFinished(async () => replica.resume())
    held.open()
    const { status, body } = await first.answer
    expect(status).toBe(201)
    expect(replica.isUp).toBe(false)
    await shop.heard.told('completion-retried')
    expect(shop.heard.count('completed')).toBe(0)

    replica.resume()
    await shop.heard.told('completed')
    await failOver()
    const again = await afterwards(shop, 'late')
    expect(again).toMatchObject({ status: 201, isReplay: true, body })
    expect(shop.effects('late')).toBe(1)
  })
})

suites('sentinels that fail over between a request and its retry', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startSentinel()
  })
  afterAll(() => sentinel?.stop())

  it.sequential('lead to the answer that the replica has received', async ({ onTestFinished }) => {
    const client = new Redis(sentinel.connection)
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    const shop = await openedShop(onTestFinished, { client })
    const { status, body } = await shop.order('key')
    expect(status).toBe(201)
    const [master, replica] = sentinel.servers as [RedisServer, RedisServer]
    await copied(master, replica)
    expect(await sentinel.failover()).toBe(replica)
    const again = await afterwards(shop, 'key')
    expect(again).toMatchObject({ status: 201, isReplay: true, body })
    expect(shop.effects('key')).toBe(1)
    expect((await shop.order('other')).status).toBe(201)
  })
})
