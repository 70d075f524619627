import type { Claim, IdempotencyStore, Lease } from '@retrysafe/core'
import type { Pool } from 'pg'
import { onTestFinished } from 'vitest'
import { bytes, claimOn } from '../../redis/test/scene.js'
import { type PostgresStore, type PostgresStoreOptions, postgresStore } from '../src/index.js'
import { openPool } from './servers/open-pool.js'
import type { SomePostgres } from './servers/some-postgres.js'

export { bytes, claimOn }

/** A record in flight, and its lease. */
export const leased = async (
  store: IdempotencyStore,
  recordKey: string,
  terms: Partial<Claim> = {},
): Promise<Lease> => {
  const claim = claimOn(recordKey, terms)
  await store.acquire(claim)
  return claim
}

export interface Shop {
  readonly schema: string
  readonly pool: Pool
  readonly store: PostgresStore
  /** Another process's store on the same records. */
  another(options?: Partial<PostgresStoreOptions>): PostgresStore
  /** What has been put into stock, in order. */
  effects(): Promise<string[]>
}

let shops = 0

/** An application with a table of its own beside the records, in a schema that nobody else has. */
export const openShop = async (
  server: SomePostgres,
  { url = server.url, ...options }: { url?: string } & Partial<PostgresStoreOptions> = {},
): Promise<Shop> => {
  const schema = `shop_${process.pid}_${++shops}`
  await server.query(`CREATE SCHEMA ${schema}`)
  await server.query(`CREATE TABLE ${schema}.stock (id serial PRIMARY KEY, sku text NOT NULL)`)
  const opened = (given: string, more: Partial<PostgresStoreOptions>) => {
    const pool = openPool(given, { max: 8 })
    const store = postgresStore({ schema, pool, ...more } as PostgresStoreOptions)
    onTestFinished(async () => {
      await store.close()
      await pool.end()
    })
    return { pool, store }
  }
  const { pool, store } = opened(url, options)
  const { store: direct } = url === server.url ? { store } : opened(server.url, {})
  await direct.migrate()
  onTestFinished(async () => void (await server.query(`DROP SCHEMA ${schema} CASCADE`)))
  return {
    schema,
    pool,
    store,
    another: (more = {}) => opened(server.url, more).store,
    effects: async () => {
      const rows = await server.query<{ sku: string }>(
        `SELECT sku FROM ${schema}.stock ORDER BY id`,
      )
      return rows.map(({ sku }) => sku)
    },
  }
}
