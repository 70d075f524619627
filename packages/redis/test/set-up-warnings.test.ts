import { createIdempotency } from '@retrysafe/core'
import { Cluster } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { redisStore } from '../src/index.js'
import { claimOn } from './scene.js'
import { startCluster } from './servers/redis-cluster.js'
import { hasRedisServer, type RedisConfig, startRedis } from './servers/redis-server.js'
import { until } from './servers/until.js'

/** What an operator has heard when the store has answered, and the server has been asked after it. */
const heardOf = async (config: RedisConfig): Promise<string[]> => {
  const server = await startRedis({ config })
  onTestFinished(() => server.stop())
  return heardAt({ url: server.url })
}

const heardAt = async (
  source: Parameters<typeof redisStore>[0],
  expected = 0,
): Promise<string[]> => {
  const store = redisStore(source)
  const { events, close } = createIdempotency({ store })
  const heard: string[] = []
  events.on('warning', ({ message }) => heard.push(message))
  await store.acquire(claimOn('k'))
  // Answers come in the order of the questions: by the second, those at the start have theirs.
  await store.read('k')
  await until('they are told', () => heard.length >= expected)
  await close()
  return heard
}

describe.skipIf(!hasRedisServer)('at the start the operator is warned', () => {
  const kept = { appendonly: 'yes' }

  it('of a server that could evict records', async () => {
    expect(await heardOf({ ...kept, 'maxmemory-policy': 'allkeys-lru' })).toEqual([
      expect.stringMatching(/allkeys-lru.*noeviction/),
    ])
  })

  it('of one that keeps nothing on disk', async () => {
    expect(await heardOf({})).toEqual([expect.stringMatching(/disk.*appendonly/)])
  })

  it('of nothing where records are kept, be it by snapshots', async () => {
    expect(await heardOf(kept)).toEqual([])
    expect(await heardOf({ save: '3600 1' })).toEqual([])
  })

  it('of nothing where the server does not tell its configuration', async () => {
    expect(await heardOf({ 'rename-command': 'CONFIG ""' })).toEqual([])
  })

  it('of every master of a cluster, once', async () => {
    const cluster = await startCluster({
      replicasEach: 0,
      config: { 'maxmemory-policy': 'volatile-ttl', appendonly: 'yes' },
    })
    onTestFinished(() => cluster.stop())
    await cluster.nodes[2]?.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu')
    const client = new Cluster(cluster.startupNodes)
    onTestFinished(() => client.disconnect())
    expect((await heardAt({ client }, 2)).sort()).toEqual([
      expect.stringContaining('allkeys-lfu'),
      expect.stringContaining('volatile-ttl'),
    ])
  })

  it('also when it listens late', async () => {
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const store = redisStore({ url: server.url })
    await store.acquire(claimOn('k'))
    await store.read('k')
    const heard: string[] = []
    const { events, close } = createIdempotency({ store })
    events.on('warning', ({ message }) => heard.push(message))
    await Promise.resolve()
    await close()
    expect(heard).toHaveLength(1)
  })
})
