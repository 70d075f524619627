import { createIdempotency } from '@retrysafe/core'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { pgSchema, serial, text } from 'drizzle-orm/pg-core'
import { afterAll, describe, expect, it } from 'vitest'
import { fakeExecution } from '../../sqlite/test/fake-execution.js'
import { leased, openShop, type Shop } from './scene.js'
import { somePostgres } from './servers/some-postgres.js'

const server = await somePostgres()
afterAll(() => server.stop())

/** The shop's table, as Drizzle knows it. */
const stockOf = ({ schema }: Shop) =>
  pgSchema(schema).table('stock', { id: serial().primaryKey(), sku: text().notNull() })

describe('Drizzle on the client of a transaction', () => {
  it('commits effects and record together, and the value is given again', async () => {
    const shop = await openShop(server)
    const stock = stockOf(shop)
    const { run } = createIdempotency({ store: shop.store })
    const once = () =>
      run({ key: 'k', scope: 's' }, (execution) =>
        shop.store.transaction(execution, async (client) => {
          const db = drizzle(client)
          const [row] = await db.insert(stock).values({ sku: 'A-100' }).returning()
          // Before the commit nobody else sees it.
          expect(await shop.effects()).toEqual([])
          return db
            .select()
            .from(stock)
            .where(eq(stock.id, Number(row?.id)))
        }),
      )
    const first = await once()
    expect(first).toEqual([{ id: expect.any(Number), sku: 'A-100' }])
    expect(await once()).toEqual(first)
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('leaves neither where the work throws', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    const error = new Error('no more stock')
    await expect(
      shop.store.transaction(execution, async (client) => {
        await drizzle(client)
          .insert(stockOf(shop))
          .values([{ sku: 'A-100' }, { sku: 'B-200' }])
        throw error
      }),
    ).rejects.toBe(error)
    expect(calls).toEqual(['begin', 'rolled back: failed'])
    expect(await shop.effects()).toEqual([])
    expect(await shop.store.read('k')).toMatchObject({ state: 'in_flight' })
  })

  it('leaves neither where the record is not to be had at the end', async () => {
    const shop = await openShop(server)
    const { execution } = fakeExecution(await leased(shop.store, 'k'))
    await expect(
      shop.store.transaction(execution, async (client) => {
        await drizzle(client).insert(stockOf(shop)).values({ sku: 'A-100' })
        await server.query(`DELETE FROM ${shop.schema}.retrysafe_records`)
      }),
    ).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(await shop.effects()).toEqual([])
  })

  it('goes back to a savepoint, and the rest is committed', async () => {
    const shop = await openShop(server)
    const stock = stockOf(shop)
    const { execution } = fakeExecution(await leased(shop.store, 'k'))
    await shop.store.transaction(execution, async (client) => {
      const db = drizzle(client)
      await db.insert(stock).values({ sku: 'kept' })
      await db.execute(sql`SAVEPOINT before`)
      await db.insert(stock).values({ sku: 'undone' })
      await db.execute(sql`ROLLBACK TO SAVEPOINT before`)
    })
    expect(await shop.effects()).toEqual(['kept'])
    expect(await shop.store.read('k')).toMatchObject({ state: 'completed' })
  })

  it('ends the transaction by its own db.transaction(), which is told', async () => {
    const shop = await openShop(server)
    const { execution } = fakeExecution(await leased(shop.store, 'k'))
    await expect(
      shop.store.transaction(execution, (client) =>
        drizzle(client).transaction((tx) => tx.insert(stockOf(shop)).values({ sku: 'A-100' })),
      ),
    ).rejects.toMatchObject({ code: 'transaction-broken' })
    expect(await shop.effects()).toEqual(['A-100'])
    expect(await shop.store.read('k')).toMatchObject({ state: 'in_flight' })
  })
})
