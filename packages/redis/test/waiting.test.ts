import { createIdempotency, type IdempotencyStore } from '@retrysafe/core'
import { Cluster } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { type RedisClient, redisStore } from '../src/index.js'
import { bytes, claimOn, openedClient, ownPrefix } from './scene.js'
import { startCluster } from './servers/redis-cluster.js'
import { hasRedisServer } from './servers/redis-server.js'
import { someRedis } from './servers/some-redis.js'
import { until } from './servers/until.js'

const server = await someRedis()
const cluster = hasRedisServer ? await startCluster({ replicasEach: 0 }) : undefined
afterAll(() => Promise.all([server.stop(), cluster?.stop()]))

const clientOf = {
  'a server': () => openedClient(server.url),
  'a Cluster': () => {
    const client = new Cluster(cluster?.startupNodes ?? [])
    onTestFinished(() => client.disconnect())
    return client
  },
}

/** Two stores as two processes have them, and a way to see that a wait is announced. */
const twoStores = (connect: () => RedisClient) => {
  const prefix = ownPrefix()
  const client = connect()
  const [here, there] = [client, connect()].map((each) => {
    const store = redisStore({ client: each, prefix })
    onTestFinished(() => store.close())
    return store
  }) as [IdempotencyStore, IdempotencyStore]
  const announced = (recordKey: string) =>
    until('the wait is announced', async () => {
      const flag = await client.callBuffer('getrange', prefix + recordKey, 3, 3)
      return String(flag) === '1'
    })
  return { here, there, announced }
}

const never = new AbortController().signal

describe.each(Object.entries(clientOf).filter(([name]) => name !== 'a Cluster' || hasRedisServer))(
  'changed() on %s',
  (_, connect) => {
    it.each(['complete', 'fail', 'release'] as const)(
      'ends with a %s in another process, for all who wait',
      async (verb) => {
        const { here, there, announced } = twoStores(connect)
        const claim = claimOn('k')
        await there.acquire(claim)
        const woken = Promise.all([here.changed?.('k', never), here.changed?.('k', never)])
        await announced('k')
        if (verb === 'complete')
          await there.complete(claim, { result: bytes('done'), retentionMs: 60_000 })
        if (verb === 'fail') await there.fail(claim, { inDoubt: false, retentionMs: 60_000 })
        if (verb === 'release') await there.release(claim)
        await woken
      },
    )

    it('outlives a takeover, and ends with the attempt that took over', async () => {
      const { here, there, announced } = twoStores(connect)
      await there.acquire(claimOn('k', { leaseMs: 1 }))
      const woken = here.changed?.('k', never)
      await announced('k')
      const successor = claimOn('k')
      await until('it is taken over', async () => {
        return (await there.acquire(successor)).kind === 'acquired'
      })
      await there.complete(successor, { result: bytes('done'), retentionMs: 60_000 })
      await woken
    })

    it('ends at once where nothing is in flight, and when the signal aborts', async () => {
      const { here, there, announced } = twoStores(connect)
      await here.changed?.('nobody', never)
      const claim = claimOn('k')
      await there.acquire(claim)
      const left = new AbortController()
      const woken = here.changed?.('k', left.signal)
      await announced('k')
      left.abort()
      await woken
      await here.changed?.('k', AbortSignal.abort())
    })

    it('lets everybody go when the store is closed', async () => {
      const { here, there, announced } = twoStores(connect)
      await there.acquire(claimOn('k'))
      const woken = here.changed?.('k', never)
      await announced('k')
      await here.close()
      await woken
      await expect(here.changed?.('k', never)).rejects.toThrow(/closed/)
    })
  },
)

describe('who waits', () => {
  it('is answered by the end of the first, and looks at the store a few times only', async () => {
    const { here, there, announced } = twoStores(clientOf['a server'])
    let reads = 0
    const counted = {
      ...here,
      read: (recordKey: string) => {
        reads++
        return here.read(recordKey)
      },
    }
    const holder = createIdempotency({ store: there })
    const waiter = createIdempotency({ store: counted, onInFlight: { waitMs: 30_000 } })
    const operation = { key: 'k', scope: 's' }
    let end: (() => void) | undefined
    let recordKey = ''
    const original = there.acquire
    there.acquire = (claim) => {
      recordKey = claim.recordKey
      return original(claim)
    }
    const first = holder.run(operation, async () => {
      await new Promise<void>((resolve) => {
        end = resolve
      })
      return { order: 1 }
    })
    await until('the first runs', () => end !== undefined)
    const waiting = Array.from({ length: 100 }, () => waiter.run(operation, async () => 'again'))
    await announced(recordKey)
    const before = reads
    end?.()
    const answers = await Promise.all(waiting)
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify(await first)]),
    )
    expect(reads - before).toBeLessThan(10)
  })
})
