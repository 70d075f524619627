import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster, Redis } from 'ioredis'
import { build } from 'tsup'
import { describe, expect, it, onTestFinished } from 'vitest'
import { holderOf, readView } from './servers/cluster-view.js'
import { startCluster } from './servers/redis-cluster.js'
import { startSentinel } from './servers/redis-sentinel.js'
import {
  hasRedisServer,
  type RedisServer,
  type StartRedisOptions,
  startRedis,
} from './servers/redis-server.js'
import { until } from './servers/until.js'

const opened = async (options: StartRedisOptions = {}): Promise<RedisServer> => {
  const server = await startRedis(options)
  onTestFinished(() => server.stop())
  return server
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The file of a program that starts a server, says where it is, and goes on. */
const compiledStarter = async (): Promise<string> => {
  // Beside the sources, so that the driver's name resolves as it does for them.
  const folder = mkdtempSync(source('../node_modules/.servers-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await build({
    config: false,
    entry: [source('./servers/programs/starter.ts')],
    outDir: folder,
    format: 'esm',
    target: 'node20',
    silent: true,
    external: ['ioredis'],
    outExtension: () => ({ js: '.mjs' }),
  })
  return join(folder, 'starter.mjs')
}

describe.skipIf(!hasRedisServer)('a Redis server of the tests', () => {
  it('answers by its url, and is gone with its folder once stopped', async () => {
    const server = await opened()
    const client = new Redis(server.url)
    expect(await client.set('key', 'value')).toBe('OK')
    client.disconnect()
    await server.stop()
    expect(isThere(server.pid)).toBe(false)
    expect(existsSync(server.folder)).toBe(false)
    await server.stop()
  })

  it('has the config that was asked for, over the defaults', async () => {
    const server = await opened({ config: { maxmemory: '7mb', 'maxmemory-policy': 'noeviction' } })
    expect(await server.ask('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', `${7 << 20}`])
    expect(await server.ask('CONFIG', 'GET', 'save')).toEqual(['save', ''])
    expect(await server.ask('CONFIG', 'GET', 'bind')).toEqual(['bind', '127.0.0.1'])
  })

  it('says why it does not start', async () => {
    await expect(startRedis({ config: { nonsense: 1 } })).rejects.toThrow(
      /nonsense 1.*Bad directive/s,
    )
  })

  it('asks for its password', async () => {
    const server = await opened({ config: { requirepass: 'secret' } })
    expect(await server.ask('PING')).toBe('PONG')
  })

  it('keeps what an AOF has kept when it is killed and started again', async () => {
    const server = await opened({ config: { appendonly: 'yes', appendfsync: 'always' } })
    await server.ask('SET', 'key', 'value')
    const { pid } = server
    await server.kill()
    expect(isThere(pid)).toBe(false)
    expect(server.isUp).toBe(false)
    await server.start()
    expect(server.pid).not.toBe(pid)
    expect(await server.ask('GET', 'key')).toBe('value')
  })

  it('has forgotten everything without one', async () => {
    const server = await opened()
    await server.ask('SET', 'key', 'value')
    await server.kill()
    await server.start()
    expect(await server.ask('GET', 'key')).toBeNull()
  })

  it('answers nothing while it is paused, and all that was asked afterwards', async () => {
    const server = await opened()
    const patient = new Redis(server.url)
    const impatient = new Redis(server.url, { commandTimeout: 300 })
    onTestFinished(() => [patient, impatient].forEach((client) => void client.disconnect()))
    await patient.set('key', 'before')
    await impatient.ping()
    await server.pause()
    expect(server.isUp).toBe(false)
    let isAnswered = false
    const answer = patient.getset('key', 'after').finally(() => {
      isAnswered = true
    })
    await expect(impatient.ping()).rejects.toThrow('Command timed out')
    expect(isAnswered).toBe(false)
    server.resume()
    expect(await answer).toBe('before')
  })

  it('can be stopped while it is paused', async () => {
    const server = await opened()
    await server.pause()
    await server.stop()
    expect(isThere(server.pid)).toBe(false)
  })

  it('goes with its folder when the process that has started it is killed', async () => {
    const child = fork(await compiledStarter())
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    const [{ pid, folder }] = (await once(child, 'message')) as [RedisServer]
    expect(isThere(pid)).toBe(true)
    child.kill('SIGKILL')
    await until('the server and its folder are gone', () => !isThere(pid) && !existsSync(folder))
  })
})

describe.skipIf(!hasRedisServer)('a cluster of the tests', () => {
  it('fails over to the replica, which has the data, and takes the former master back', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    const client = new Cluster(cluster.startupNodes)
    onTestFinished(() => client.disconnect())
    for (const key of ['a', 'b', 'c', 'd']) await client.set(key, `value of ${key}`)

    const former = await cluster.masterOf('a')
    const replica = await cluster.replicaOf('a')
    expect(await former.ask('GET', 'a')).toBe('value of a')
    expect(await former.ask('WAIT', '1', '5000')).toBe(1)
    await former.kill()
    expect(await cluster.masterOf('a')).toBe(former)
    expect(await cluster.nextMasterOf('a', former)).toBe(replica)
    expect(await replica.ask('GET', 'a')).toBe('value of a')

    await former.start()
    await until('the former master is a replica', async () => {
      return (await cluster.replicaOf('a')) === former
    })
    expect(await cluster.masterOf('a')).toBe(replica)
  })
})

describe('what the nodes of a cluster say', () => {
  it('is believed of the later of two masters that claim a slot', () => {
    const former = 'aa 127.0.0.1:1@10001 myself,master - 0 0 1 connected 0-9 12'
    const latter = 'bb 127.0.0.1:2@10002,host master - 0 0 7 connected 0-9 12 [12->-aa]'
    const third = 'cc 127.0.0.1:3@10003 master - 0 0 9 connected 10-11'
    const lines = readView(`${former}\n${latter}\n${third}\n`)
    expect([9, 10, 12, 13].map((slot) => holderOf(slot, lines)?.port)).toEqual([2, 3, 2, undefined])
    expect(holderOf(0, lines.reverse())?.port).toBe(2)
  })
})

describe.skipIf(!hasRedisServer)('sentinels of the tests', () => {
  it('announce the replica, which has the data, when the master is killed', async () => {
    const { connection, servers, master, failover, stop } = await startSentinel()
    onTestFinished(stop)
    const client = new Redis(connection)
    // What it tells of the master that is gone.
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    await client.set('key', 'value')

    const former = await master()
    expect(former).toBe(servers[0])
    expect(await former.ask('WAIT', '1', '5000')).toBe(1)
    expect(await failover()).toBe(servers[1])
    expect(await servers[1]?.ask('GET', 'key')).toBe('value')
    expect(await client.set('key', 'another')).toBe('OK')
  })
})
