import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPgBouncer } from '../../../../.ci/setup/postgres.mjs'
import { freePort } from '../../../redis/test/servers/free-port.js'
import { launch } from '../../../redis/test/servers/server-process.js'
import { giveToOwner, runAs } from './owner.js'
import { hasPostgresServer, type PostgresServer } from './postgres-server.js'
import { query } from './query.js'

/** Whether PgBouncer can be started here, and a server for it. */
export const hasPgBouncer = hasPostgresServer && findPgBouncer() !== undefined

/** How PgBouncer is started. */
export interface StartPgBouncerOptions {
  /** Whom it asks. */
  readonly server: Pick<PostgresServer, 'host' | 'port'>
  /** After what a client gives its connection to the server back. @default 'transaction' */
  readonly poolMode?: 'session' | 'transaction' | 'statement'
  /** Of the section `[pgbouncer]`, over the defaults. */
  readonly config?: Readonly<Record<string, string | number>>
}

/** PgBouncer, on 127.0.0.1. It goes with the process that has started it. */
export interface PgBouncer {
  readonly host: '127.0.0.1'
  readonly port: number
  /** As the server's, with another port. `pgbouncer` in the place of the database is the console. */
  readonly url: string
  readonly pid: number
  /** Ends it and removes its folder. May be called again. */
  stop(): Promise<void>
}

/** Starts PgBouncer in front of a server that is up; resolves when a question comes through. */
export const startPgBouncer = async (options: StartPgBouncerOptions): Promise<PgBouncer> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options)
    } catch (error) {
      if (attempt === 5 || !/Address already in use/.test(String(error))) throw error
    }
  }
}

const startOnce = async ({
  server,
  poolMode = 'transaction',
  config = {},
}: StartPgBouncerOptions): Promise<PgBouncer> => {
  const program = findPgBouncer()
  if (!program) throw new Error('There is no PgBouncer here; .ci/setup/postgres.mjs brings one')
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-pgbouncer-'))
  giveToOwner(folder)
  const host = '127.0.0.1'
  const port = await freePort()
  const url = `postgres://postgres@${host}:${port}/postgres`
  const users = join(folder, 'users.txt')
  writeFileSync(users, '"postgres" ""\n')
  const file = join(folder, 'pgbouncer.ini')
  const settings = {
    max_client_conn: 500,
    ...config,
    pool_mode: poolMode,
    listen_addr: host,
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: users,
    admin_users: 'postgres',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(
    file,
    `[databases]\n* = host=${server.host} port=${server.port}\n[pgbouncer]\n${lines.join('')}`,
  )

  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  try {
    // Another one may have taken the port.
    const isReady = async () => {
      const [row] = await query(url, 'SHOW port')
      return row?.port === `${server.port}`
    }
    const running = await launch({ program, args: [file], folder, isReady, as: runAs })
    return {
      host,
      port,
      url,
      pid: running.pid,
      async stop() {
        await running.end('SIGKILL')
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}
