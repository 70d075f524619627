import { describeStore, type StoreHarness } from '@retrysafe/conformance'
import type { IdempotencyStore } from '@retrysafe/core'
import { Client } from 'pg'
import { afterAll } from 'vitest'
import { type PostgresSource, postgresStore } from '../src/index.js'
import { openPool } from './servers/open-pool.js'
import { hasPgBouncer, startPgBouncer } from './servers/pgbouncer.js'
import { hasPostgresServer, startPostgres } from './servers/postgres-server.js'
import { type SomePostgres, somePostgres } from './servers/some-postgres.js'

// Nobody kills it, and every test makes tables.
const unsafe = { config: { fsync: 'off' } }
const server = await somePostgres(unsafe)
afterAll(() => server.stop())

type Asked = Pick<SomePostgres, 'query'>

let schemas = 0

/** A schema that no other harness has, so that what one purges is its own. */
const ownSchema = async ({ query }: Asked): Promise<string> => {
  const schema = `conformance_${process.pid}_${++schemas}`
  await query(`CREATE SCHEMA ${schema}`)
  return schema
}

interface Clock {
  /** Lets the server's clock be so many milliseconds ahead of where it stood when the harness was made. */
  reach(ms: number, schema: string, asked: Asked): Promise<void>
}

/** Time passes as it does: a server's clock is nobody's to set. */
const waiting = (): Clock => {
  const startedAt = performance.now()
  return {
    reach: async (ms) => {
      const restMs = startedAt + ms - performance.now()
      await new Promise((resolve) => setTimeout(resolve, restMs))
    },
  }
}

/** What would have to be waited for is taken off what every record has left. */
const skipping = (): Clock => {
  const startedAt = performance.now()
  let skippedMs = 0
  return {
    reach: async (ms, schema, { query }) => {
      const restMs = Math.ceil(ms - (performance.now() - startedAt) - skippedMs)
      if (restMs <= 0) return
      skippedMs += restMs
      await query(
        `UPDATE ${schema}.retrysafe_records SET lease_ends_at = lease_ends_at - $1 * interval '1 ms',
           expires_at = expires_at - $1 * interval '1 ms'`,
        [restMs],
      )
    },
  }
}

interface Source {
  readonly source: PostgresSource
  close(): Promise<void>
}

const pool = async (url = server.url): Promise<Source> => {
  const made = openPool(url, { max: 4 })
  return { source: { pool: made }, close: () => made.end() }
}

const oneClient = async (): Promise<Source> => {
  const client = new Client(server.url)
  await client.connect()
  return { source: { client }, close: () => client.end() }
}

const harnessOn = async (
  connect: () => Promise<Source>,
  createClock: () => Clock,
  options: { readonly prepare?: boolean } = {},
  asked: Asked = server,
): Promise<StoreHarness> => {
  const schema = await ownSchema(asked)
  const { source, close } = await connect()
  const opened: IdempotencyStore[] = []
  const open = () => {
    const store = postgresStore({ ...source, schema, ...options })
    opened.push(store)
    return store
  }
  await open().migrate()
  const clock = createClock()
  let advancedMs = 0
  return {
    async open() {
      return open()
    },
    async advance(ms) {
      advancedMs += ms
      await clock.reach(advancedMs, schema, asked)
    },
    async close() {
      await Promise.all(opened.map((store) => store.close()))
      await close()
      await asked.query(`DROP SCHEMA ${schema} CASCADE`)
    },
  }
}

describeStore('postgresStore()', () => harnessOn(pool, waiting), { concurrent: true })
describeStore('postgresStore() on one client', () => harnessOn(oneClient, skipping), {
  concurrent: true,
})

if (hasPgBouncer && hasPostgresServer) {
  const behind = await startPostgres(unsafe)
  const pooler = await startPgBouncer({ server: behind, poolMode: 'transaction' })
  afterAll(async () => {
    await pooler.stop()
    await behind.stop()
  })
  describeStore(
    'postgresStore() behind PgBouncer',
    () => harnessOn(() => pool(pooler.url), skipping, { prepare: false }, behind),
    { concurrent: true },
  )
}
