import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { redisStore } from '../../src/index.js'
import { startCluster } from '../servers/redis-cluster.js'
import { hasRedisServer, type RedisServer } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import { useProgram } from './compiled.js'
import { gate, type Later, openedRedis, openedShop } from './scene.js'

describe.skipIf(!hasRedisServer).concurrent('a process that has closed its store', () => {
  const program = useProgram('closing')

  const started = (later: Later, { url, isUp }: RedisServer): ChildProcess => {
    const child = fork(program(), [url, isUp ? 'there' : 'away'], {
      execArgv: [],
      env: {},
      stdio: 'pipe',
    })
    later(async () => {
      child.kill('SIGKILL')
    })
    return child
  }

  /** What it says and how it ends, when it is told to close. */
  const ended = async (child: ChildProcess) => {
    const said: unknown[] = []
    child.on('message', (message) => said.push(message))
    let printed = ''
    child.stderr?.on('data', (chunk) => {
      printed += chunk
    })
    child.send('close')
    const [code, signal] = await once(child, 'close')
    return { said, code, signal, printed }
  }
  const byItself = { said: ['closed'], code: 0, signal: null, printed: '' }

  it('ends by itself with the server up', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const child = started(onTestFinished, redis)
    expect(await once(child, 'message')).toEqual([['ran', 'ran'], undefined])
    expect(await ended(child)).toEqual(byItself)
  })

  it('ends by itself with the server gone', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const child = started(onTestFinished, redis)
    expect(await once(child, 'message')).toEqual([['ran', 'ran'], undefined])
    await redis.kill()
    expect(await ended(child)).toEqual(byItself)
  })

  it('ends by itself with a server that hangs', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    const child = started(onTestFinished, redis)
    expect(await once(child, 'message')).toEqual([['ran', 'ran'], undefined])
    await redis.pause()
    expect(await ended(child)).toEqual(byItself)
    expect(redis.isUp).toBe(false)
  })

  it('ends by itself with a server that was never there', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    await redis.kill()
    const child = started(onTestFinished, redis)
    const refused = ['store-unavailable', 'store-unavailable']
    expect(await once(child, 'message')).toEqual([refused, undefined])
    expect(await ended(child)).toEqual(byItself)
  })

  it('ends by itself with a server that hangs from the start', async ({ onTestFinished }) => {
    const redis = await openedRedis(onTestFinished)
    await redis.pause()
    const child = started(onTestFinished, redis)
    const refused = ['store-unavailable', 'store-unavailable']
    expect(await once(child, 'message')).toEqual([refused, undefined])
    expect(await ended(child)).toEqual(byItself)
    expect(redis.isUp).toBe(false)
  })
})

/** How many connections there are, but for the one that asks. */
const connectionsOf = async (server: RedisServer): Promise<number> =>
  String(await server.ask('CLIENT', 'LIST'))
    .trim()
    .split('\n').length - 1

describe.skipIf(!hasRedisServer).concurrent('a client that the store was handed', () => {
  for (const [what, open] of [
    ['a Redis', ({ host, port }: RedisServer) => new Redis({ host, port })],
    ['a Cluster', ({ host, port }: RedisServer) => new Cluster([{ host, port }])],
  ] as const)
    it(`stays usable and alone when the store is closed: ${what}`, async ({ onTestFinished }) => {
      const cluster = await startCluster({
        masters: 1,
        replicasEach: 0,
        // A node that has met nobody does not know it.
        config: { 'cluster-announce-ip': '127.0.0.1' },
      })
      onTestFinished(() => cluster.stop())
      const [server] = cluster.nodes as [RedisServer]
      const client = open(server)
      client.on('error', () => {})
      onTestFinished(() => client.disconnect())
      await client.set('own', 'value')
      const listeners = () => client.eventNames().map((name) => client.listenerCount(name))
      const before = [listeners(), await connectionsOf(server)]

      const { wait, open: letGo } = gate()
      const onInFlight = { waitMs: 60_000 }
      const shop = await openedShop(onTestFinished, { client }, { onInFlight }, wait)
      const both = [shop.order('key'), shop.order('key')]
      await until('the second waits on a connection of the store', async () => {
        return ((await server.ask('PUBSUB', 'CHANNELS')) as string[]).length === 1
      })
      letGo()
      for (const { status } of await Promise.all(both)) expect(status).toBe(201)
      const replicas = { count: 1, timeoutMs: 1 }
      const counted = await openedShop(onTestFinished, { client, replicas })
      expect((await counted.order('key-2')).status).toBe(503)
      expect(await connectionsOf(server)).toBeGreaterThan(Number(before[1]))

      await shop.close()
      await counted.close()
      expect(await client.get('own')).toBe('value')
      await until('the connections of the store are gone', async () => {
        return (await connectionsOf(server)) === before[1]
      })
      expect(listeners()).toEqual(before[0])
    })

  it('has nothing of the store on it, though it never came to be connected', async () => {
    const client = new Redis({ lazyConnect: true })
    const listeners = () => client.eventNames().map((name) => client.listenerCount(name))
    const before = listeners()
    await redisStore({ client }).close()
    expect(listeners()).toEqual(before)
    expect(client.status).toBe('wait')
  })
})
