import { describeStore, type StoreHarness } from '@retrysafe/conformance'
import type { IdempotencyStore } from '@retrysafe/core'
import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { afterAll } from 'vitest'
import { type RedisClient, redisStore } from '../src/index.js'
import { startCluster } from './servers/redis-cluster.js'
import { hasRedisServer } from './servers/redis-server.js'
import { someRedis } from './servers/some-redis.js'

const server = await someRedis()
const cluster = hasRedisServer ? await startCluster() : undefined
const nodes = cluster?.startupNodes ?? []
afterAll(() => Promise.all([server.stop(), cluster?.stop()]))

let harnesses = 0

interface Clock {
  /** Lets the server's clock be so many milliseconds ahead of where it stood when the harness was made. */
  reach(client: RedisClient, ms: number, keys: Iterable<string>): Promise<void>
}

/** Time passes as it does: a server's clock is nobody's to set. */
const waiting = (): Clock => {
  const startedAt = performance.now()
  return {
    reach: async (_client, ms) => {
      const restMs = startedAt + ms - performance.now()
      await new Promise((resolve) => setTimeout(resolve, restMs))
    },
  }
}

/** What would have to be waited for is taken off the life of every key, which is all that a record knows of time. */
const skipping = (): Clock => {
  const startedAt = performance.now()
  let skippedMs = 0
  return {
    reach: async (client, ms, keys) => {
      const restMs = Math.ceil(ms - (performance.now() - startedAt) - skippedMs)
      if (restMs <= 0) return
      skippedMs += restMs
      for (const key of keys) {
        const life = Number(await client.callBuffer('pttl', key))
        // 0: less than a millisecond.
        if (life >= 0) await client.callBuffer('pexpire', key, life - restMs)
      }
    },
  }
}

const harnessOn = async (client: RedisClient, createClock: () => Clock): Promise<StoreHarness> => {
  const prefix = `conformance-${process.pid}-${++harnesses}:`
  const opened: IdempotencyStore[] = []
  const keys = new Set<string>()
  // Connecting is not what the guarantees count.
  await client.callBuffer('ping')
  const clock = createClock()
  let advancedMs = 0
  return {
    async open() {
      const store = redisStore({ client, prefix })
      opened.push(store)
      return {
        ...store,
        acquire: (claim) => {
          keys.add(prefix + claim.recordKey)
          return store.acquire(claim)
        },
      }
    },
    async advance(ms) {
      advancedMs += ms
      await clock.reach(client, advancedMs, keys)
    },
    async close() {
      await Promise.all(opened.map((store) => store.close()))
      client.disconnect()
    },
  }
}

describeStore('redisStore()', () => harnessOn(new Redis(server.url), waiting), { concurrent: true })

const others: Record<string, () => RedisClient> = {
  'by RESP 3': () => new Redis(server.url, { protocol: 3, replyMapping: 'resp3' }),
  'by ioredis 5': () => new Redis5(server.url),
  ...(cluster && {
    'on a Cluster': () => new Cluster(nodes),
    'on a Cluster, by ioredis 5': () => new Cluster5(nodes),
  }),
}
for (const [name, connect] of Object.entries(others))
  describeStore(`redisStore() ${name}`, () => harnessOn(connect(), skipping))
