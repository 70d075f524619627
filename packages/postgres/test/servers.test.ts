import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../redis/test/servers/until.js'
import { hasPgBouncer, startPgBouncer } from './servers/pgbouncer.js'
import {
  hasPostgresServer,
  type PostgresServer,
  type StartPostgresOptions,
  startPostgres,
} from './servers/postgres-server.js'
import { sharedMemoryOf } from './servers/postmaster-file.js'
import { childrenOf, isRunning } from './servers/process-table.js'
import { type FaultyProxy, startProxy } from './servers/proxy.js'
import { query } from './servers/query.js'

const opened = async (options: StartPostgresOptions = {}): Promise<PostgresServer> => {
  const server = await startPostgres(options)
  onTestFinished(() => server.stop())
  return server
}

const connected = async (connectionString: string): Promise<Client> => {
  const client = new Client({ connectionString, ssl: false })
  // What it tells of a server that is gone.
  client.on('error', () => {})
  await client.connect()
  onTestFinished(() => {
    void client.end()
  })
  return client
}

/** Fails where nobody lets it in, as it would have been long before. */
const knock = async (connectionString: string): Promise<void> => {
  const client = new Client({ connectionString, ssl: false, connectionTimeoutMillis: 300 })
  await client.connect().finally(() => void client.end())
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
    external: ['pg'],
    outExtension: () => ({ js: '.mjs' }),
  })
  return join(folder, 'starter.mjs')
}

/** Starts that program, and answers what it says, its children's pids, and what kills it. */
const startedElsewhere = async (...args: string[]) => {
  const child = fork(await compiledStarter(), args)
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [{ pid, folder }] = (await once(child, 'message')) as [PostgresServer]
  const memory = sharedMemoryOf(join(folder, 'data'))
  return { pids: [pid, ...childrenOf(pid)], folder, memory, kill: () => child.kill('SIGKILL') }
}

/** What has become of it by now. */
const stateOf = async (promise: Promise<unknown>): Promise<string> => {
  let state = 'open'
  promise.then(
    () => {
      state = 'done'
    },
    () => {
      state = 'failed'
    },
  )
  await new Promise(setImmediate)
  return state
}

/** Whether the system still has that piece of shared memory, which its list names in the second column. */
const holdsMemory = (id: string | undefined): boolean =>
  execFileSync('ipcs', ['-m'], { encoding: 'utf8' })
    .split('\n')
    .some((line) => id !== undefined && line.trim().split(/\s+/)[1] === id)

const table = 'CREATE TABLE t (v int)'
const valuesOf = async (server: PostgresServer) =>
  (await server.query<{ v: number }>('SELECT v FROM t ORDER BY v')).map(({ v }) => v)

describe.skipIf(!hasPostgresServer)('a Postgres server of the tests', () => {
  it('answers by its url, and is gone with its folder once stopped', async () => {
    const server = await opened()
    expect(await query(server.url, 'SELECT $1::int AS v', [7])).toEqual([{ v: 7 }])
    const pids = [server.pid, ...childrenOf(server.pid)]
    expect(pids.length).toBeGreaterThan(3)
    await connected(server.url)
    await server.stop()
    expect(pids.filter(isRunning)).toEqual([])
    expect(existsSync(server.folder)).toBe(false)
    await server.stop()
  })

  it('has the config that was asked for, over the defaults', async () => {
    const { query } = await opened({ config: { work_mem: '3MB', max_connections: 20 } })
    expect(await query('SHOW work_mem')).toEqual([{ work_mem: '3MB' }])
    expect(await query('SHOW max_connections')).toEqual([{ max_connections: '20' }])
    expect(await query('SHOW shared_buffers')).toEqual([{ shared_buffers: '16MB' }])
    expect(await query('SHOW fsync')).toEqual([{ fsync: 'on' }])
    expect(await query('SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
  })

  it('says why it does not start', async () => {
    await expect(startPostgres({ config: { nonsense: 1 } })).rejects.toThrow(
      /unrecognized configuration parameter "nonsense"/,
    )
  })

  it('keeps what has been committed when it is killed and started again, and nothing else', async () => {
    const server = await opened()
    await server.query(table)
    await server.query('INSERT INTO t VALUES (1)')
    const client = await connected(server.url)
    await client.query('BEGIN; INSERT INTO t VALUES (2)')
    const pids = [server.pid, ...childrenOf(server.pid)]

    await server.kill()
    expect(server.isUp).toBe(false)
    expect(pids.filter(isRunning)).toEqual([])
    await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED')
    await server.start()
    expect(server.isUp).toBe(true)
    expect(pids).not.toContain(server.pid)
    expect(await valuesOf(server)).toEqual([1])
  })

  it('leaves nothing in the memory of the system when it is stopped after it was killed', async () => {
    const server = await opened()
    const memory = sharedMemoryOf(join(server.folder, 'data'))
    await server.kill()
    expect(holdsMemory(memory)).toBe(true)
    await server.stop()
    expect(holdsMemory(memory)).toBe(false)
  })

  it('answers nothing while it is paused, and all that was asked afterwards', async () => {
    const server = await opened()
    await server.query(table)
    const client = await connected(server.url)
    await server.pause()
    expect(server.isUp).toBe(false)
    const answer = client.query('INSERT INTO t VALUES (1)')
    await expect(knock(server.url)).rejects.toThrow('timeout')
    expect(await stateOf(answer)).toBe('open')
    server.resume()
    expect((await answer).rowCount).toBe(1)
    expect(server.isUp).toBe(true)
    expect(await valuesOf(server)).toEqual([1])
  })

  it('can be stopped or killed while it is paused', async () => {
    const server = await opened()
    const client = await connected(server.url)
    await client.query('SELECT 1')
    for (const end of [server.kill, server.stop]) {
      const pids = [server.pid, ...childrenOf(server.pid)]
      await server.pause()
      await end()
      expect(pids.filter(isRunning)).toEqual([])
      if (end === server.kill) await server.start()
    }
  })

  it.each(['running', 'paused'])(
    'goes with its folder, though %s, when the process that has started it is killed',
    async (state) => {
      const { pids, folder, memory, kill } = await startedElsewhere(state)
      expect(pids.filter(isRunning)).toEqual(pids)
      expect(holdsMemory(memory)).toBe(true)
      kill()
      await until('the server, its folder and its memory are gone', () => {
        return !pids.some(isRunning) && !existsSync(folder) && !holdsMemory(memory)
      })
    },
  )
})

describe.skipIf(!hasPostgresServer)('a proxy of the tests', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  /** A client whose transaction has inserted a value and is open. */
  const between = async (): Promise<{ proxy: FaultyProxy; client: Client }> => {
    await server.query('DROP TABLE IF EXISTS t')
    await server.query(table)
    const proxy = await startProxy(server.port)
    onTestFinished(() => proxy.stop())
    const client = await connected(proxy.url)
    await client.query('BEGIN')
    await client.query('INSERT INTO t VALUES ($1)', [1])
    return { proxy, client }
  }
  /** How many other connections the server has that are within a transaction. */
  const openTransactions = async () =>
    (await server.query("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"))
      .length

  it('swallows the answer to COMMIT, which has been done, until it is cut', async () => {
    const { proxy, client } = await between()
    const [{ pid }] = (await client.query('SELECT pg_backend_pid() AS pid')).rows
    const happened = proxy.once('COMMIT', 'swallow-answer')
    const commit = client.query('COMMIT')
    await happened
    expect(await valuesOf(server)).toEqual([1])
    // Nor does anything else come, such as the news that the server has ended the connection.
    await server.query('SELECT pg_terminate_backend($1, 5000)', [pid])
    expect(await query(proxy.url, 'SELECT 1 AS v')).toEqual([{ v: 1 }])
    expect(await stateOf(commit)).toBe('open')
    expect(proxy.connections).toBe(1)
    proxy.cut()
    await expect(commit).rejects.toThrow('Connection terminated')
    await until('it is closed', () => proxy.connections === 0)
  })

  it('ends the connection in the place of the answer to COMMIT, which has been done', async () => {
    const { proxy, client } = await between()
    const happened = proxy.once(/commit/i, 'cut-answer')
    await expect(client.query('COMMIT')).rejects.toThrow('Connection terminated')
    await happened
    expect(await valuesOf(server)).toEqual([1])
  })

  it('ends the connection in the place of COMMIT, which is never done', async () => {
    const { proxy, client } = await between()
    const happened = proxy.once('COMMIT', 'cut-request')
    await expect(client.query('COMMIT')).rejects.toThrow('Connection terminated')
    await happened
    await until('the server knows', async () => (await openTransactions()) === 0)
    expect(await valuesOf(server)).toEqual([])
  })

  it('swallows COMMIT, for which the server goes on to wait', async () => {
    const { proxy, client } = await between()
    const happened = proxy.once('COMMIT', 'swallow-request')
    const commit = client.query('COMMIT')
    await happened
    expect(await openTransactions()).toBe(1)
    expect(await stateOf(commit)).toBe('open')
    proxy.cut()
    await expect(commit).rejects.toThrow('Connection terminated')
    expect(await valuesOf(server)).toEqual([])
  })

  it('loses one direction of all connections, and lets everything pass again', async () => {
    const { proxy, client } = await between()
    proxy.swallowAnswers()
    const commit = client.query('COMMIT')
    await until('it is done', async () => (await valuesOf(server)).length === 1)
    expect(await stateOf(commit)).toBe('open')
    await expect(knock(proxy.url)).rejects.toThrow('timeout')
    proxy.pass()
    proxy.swallowRequests()
    await expect(knock(proxy.url)).rejects.toThrow('timeout')
    proxy.pass()
    expect(await query(proxy.url, 'SELECT 1 AS v')).toEqual([{ v: 1 }])
    proxy.cut()
    await expect(commit).rejects.toThrow('Connection terminated')
  })

  it('fails a client whose server is gone', async () => {
    const own = await opened()
    const proxy = await startProxy(own.port)
    onTestFinished(() => proxy.stop())
    const client = await connected(proxy.url)
    const answer = expect(client.query('SELECT pg_sleep(60)')).rejects.toThrow(
      'Connection terminated',
    )
    await own.kill()
    await answer
    await expect(query(proxy.url, 'SELECT 1')).rejects.toThrow('Connection terminated')
  })
})

describe.skipIf(!hasPgBouncer)('PgBouncer of the tests', () => {
  it('shares one connection among clients, which it takes back after each transaction', async () => {
    const server = await opened()
    const bouncer = await startPgBouncer({ server, config: { default_pool_size: 1 } })
    onTestFinished(() => bouncer.stop())
    const clients = [await connected(bouncer.url), await connected(bouncer.url)]
    const pids = []
    for (const client of clients) {
      await client.query('BEGIN')
      pids.push((await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid)
      await client.query('COMMIT')
    }
    expect(pids[0]).toBe(pids[1])
    await bouncer.stop()
    expect(isRunning(bouncer.pid)).toBe(false)
    await bouncer.stop()
  })
})
