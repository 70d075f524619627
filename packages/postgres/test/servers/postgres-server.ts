import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { QueryResultRow } from 'pg'
import { findPostgres } from '../../../../.ci/setup/postgres.mjs'
import { freePort } from '../../../redis/test/servers/free-port.js'
import { launch, type ServerProcess } from '../../../redis/test/servers/server-process.js'
import { makeDataFolder } from './data-folder.js'
import { giveToOwner, runAs } from './owner.js'
import { halt, killTree } from './postmaster.js'
import { freeSharedMemory, isReady } from './postmaster-file.js'
import { query } from './query.js'

/** Whether a server can be started here; for `describe.skipIf(!hasPostgresServer)`. */
export const hasPostgresServer = findPostgres() !== undefined

/** Parameters of postgresql.conf. */
export type PostgresConfig = Readonly<Record<string, string | number | boolean>>

/** How a server is started. */
export interface StartPostgresOptions {
  /** Wins over the defaults, which keep what has been committed whatever happens: a small server, with `fsync` on. */
  readonly config?: PostgresConfig
}

/** A server of our own, on 127.0.0.1, and with a folder of its own. It goes with the process that has started it. */
export interface PostgresServer {
  readonly host: '127.0.0.1'
  readonly port: number
  /** Of the superuser, who needs no password, and the database `postgres`. */
  readonly url: string
  /** Its data, and server.log. */
  readonly folder: string
  /** Of the postmaster that runs, or was the last to run. */
  readonly pid: number
  /** False while it is paused or killed, and after `stop`. */
  readonly isUp: boolean
  /** SIGKILL for the postmaster and all its children; resolves when they are gone. */
  kill(): Promise<void>
  /** SIGSTOP for all of them; resolves when none does anything any more. Connections stay open, and new ones wait. */
  pause(): Promise<void>
  /** SIGCONT. */
  resume(): void
  /** Starts what was killed, on the same port, data and config; resolves when it takes connections. */
  start(): Promise<void>
  /** Shuts it down, ending what is connected, and removes its folder. May be called at any time, and again. */
  stop(): Promise<void>
  /** One question on a connection of its own; answers the rows. */
  query<Row extends QueryResultRow = QueryResultRow>(
    sql: string,
    values?: readonly unknown[],
  ): Promise<Row[]>
}

const defaults: PostgresConfig = {
  shared_buffers: '16MB',
  max_connections: 200,
  // Its pieces go with the folder, those in the system's memory only with an orderly end.
  dynamic_shared_memory_type: 'mmap',
}

/** Starts a server on a free port; resolves when it takes connections. */
export const startPostgres = async (
  options: StartPostgresOptions = {},
): Promise<PostgresServer> => {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare(options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      if (attempt === 5 || !/Address already in use/.test(String(error))) throw error
    }
  }
}

const prepare = async ({ config = {} }: StartPostgresOptions): Promise<PostgresServer> => {
  const programs = findPostgres()
  if (!programs) throw new Error('There is no Postgres here; .ci/setup/postgres.mjs brings one')
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-postgres-'))
  giveToOwner(folder)
  const data = join(folder, 'data')
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  try {
    await makeDataFolder(programs, data)
  } catch (error) {
    remove()
    throw error
  }

  const host = '127.0.0.1'
  const port = await freePort()
  const url = `postgres://postgres@${host}:${port}/postgres`
  const own = { port, listen_addresses: host, unix_socket_directories: '' }
  const args = ['-D', data, ...argumentsOf({ ...defaults, ...config, ...own })]
  let running: ServerProcess | undefined
  let wasKilled = false
  let goOn: (() => void) | undefined

  const resume = () => {
    goOn?.()
    goOn = undefined
  }
  const kill = async () => {
    if (!running?.isAlive) return
    wasKilled = true
    await killTree(running)
    resume()
  }

  return {
    host,
    port,
    url,
    folder,
    get pid() {
      if (!running) throw new Error('The server has not been started')
      return running.pid
    },
    get isUp() {
      return running?.isAlive === true && !goOn
    },
    kill,
    async pause() {
      if (!running?.isAlive) throw new Error('A server that does not run cannot be paused')
      goOn ??= await halt(running.pid, folder)
    },
    resume,
    async start() {
      if (running?.isAlive) throw new Error('The server runs already')
      running = await launch({
        program: join(programs, 'postgres'),
        args,
        folder,
        isReady: (pid) => isReady(data, pid),
        // Immediate shutdown, which leaves no shared memory behind.
        lastSignal: 'QUIT',
        as: runAs,
      })
      wasKilled = false
    },
    async stop() {
      resume()
      if (running?.isAlive)
        await Promise.race([running.end('SIGINT'), delay(5_000, undefined, { ref: false })])
      await kill()
      if (wasKilled) freeSharedMemory(data)
      remove()
    },
    query: (sql, values) => query(url, sql, values),
  }
}

const argumentsOf = (config: PostgresConfig): string[] =>
  Object.entries(config).flatMap(([name, value]) => ['-c', `${name}=${value}`])
