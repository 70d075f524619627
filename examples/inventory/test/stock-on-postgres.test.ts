import type { Pool } from 'pg'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openPool } from '../../../packages/postgres/test/servers/open-pool.js'
import {
  hasPostgresServer,
  type PostgresServer,
  startPostgres,
} from '../../../packages/postgres/test/servers/postgres-server.js'
import type { Outcome } from '../src/adjustment.mjs'
import { openStockOnPostgres } from '../src/stock-on-postgres.mjs'

describe.skipIf(!hasPostgresServer)('The stock on Postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    return () => server.stop()
  })

  /** As a process has it, in a schema that is there. */
  const connect = (schema: string) => {
    const pool = openPool(server.url, { options: `-csearch_path=${schema}` })
    onTestFinished(() => pool.end())
    return pool
  }

  const connectToNew = async (schema: string) => {
    await server.query(`CREATE SCHEMA ${schema}`)
    return connect(schema)
  }

  const adjust = async (pool: Pool, sku: string, delta: number): Promise<Outcome> => {
    const stock = await openStockOnPostgres(pool)
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const outcome = await stock.adjust(client, sku, delta)
      await client.query('COMMIT')
      return outcome
    } finally {
      client.release()
    }
  }

  test('is made by one of the processes that start at the same instant, and never again', async () => {
    const pool = await connectToNew('start')
    const others = Array.from({ length: 7 }, () => connect('start'))
    const stocks = await Promise.all([pool, ...others].map(openStockOnPostgres))
    for (const stock of stocks)
      expect(await stock.find('A-100')).toEqual({ sku: 'A-100', onHand: 100 })
    await pool.query('TRUNCATE stock CASCADE')
    expect(await (await openStockOnPostgres(pool)).find('A-100')).toBeUndefined()
  })

  test('loses no adjustment to another at the same instant, and takes no more than there is', async () => {
    const pool = await connectToNew('instant')
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => adjust(pool, 'B-200', -1)))
    const kinds = outcomes.map(({ kind }) => kind).sort()
    expect(kinds).toEqual([...Array(50).fill('adjusted'), ...Array(10).fill('below-zero')])
    const stock = await openStockOnPostgres(pool)
    expect((await stock.adjustments()).map(({ onHand }) => onHand)).toEqual(
      Array.from({ length: 50 }, (_, made) => 49 - made),
    )
  })

  test('takes what Postgres would refuse for the name of nothing', async () => {
    const pool = await connectToNew('nothing')
    const stock = await openStockOnPostgres(pool)
    expect(await adjust(pool, 'A-100\0', -1)).toEqual({ kind: 'unknown-sku', sku: 'A-100\0' })
    expect(await stock.find('\0')).toBeUndefined()
    for (const id of ['7', 'x', '1e3', '9'.repeat(40)])
      expect(await stock.adjustment(id)).toBeUndefined()
  })

  test('keeps numbers as large as an adjustment can be', async () => {
    const pool = await connectToNew('large')
    const delta = Number.MAX_SAFE_INTEGER - 100
    const onHand = Number.MAX_SAFE_INTEGER
    const adjustment = { id: 1, sku: 'A-100', delta, onHand }
    expect(await adjust(pool, 'A-100', delta)).toEqual({ kind: 'adjusted', adjustment })
    const stock = await openStockOnPostgres(pool)
    expect(await stock.adjustment('1')).toEqual(adjustment)
    expect(await stock.find('A-100')).toEqual({ sku: 'A-100', onHand })
  })
})
