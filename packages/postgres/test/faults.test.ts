import { createIdempotency } from '@retrysafe/core'
import { Client, type ClientBase, type PoolClient } from 'pg'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../redis/test/servers/until.js'
import { fakeExecution } from '../../sqlite/test/fake-execution.js'
import { postgresStore } from '../src/index.js'
import { bytes, claimOn, leased, openShop, type Shop } from './scene.js'
import { openPool } from './servers/open-pool.js'
import { hasPostgresServer, startPostgres } from './servers/postgres-server.js'
import { somePostgres } from './servers/some-postgres.js'

const server = await somePostgres()
afterAll(() => server.stop())

const add = ({ schema }: Shop, sku: string) => {
  return async (client: ClientBase) => {
    await client.query(`INSERT INTO ${schema}.stock (sku) VALUES ($1)`, [sku])
    return sku
  }
}

/** A store of the shop on one connection. */
const onOneClient = async (shop: Shop, storeTimeoutMs: number) => {
  const client = new Client(server.url)
  await client.connect()
  const store = postgresStore({ client, schema: shop.schema, storeTimeoutMs })
  onTestFinished(async () => {
    await store.close()
    await client.end()
  })
  return store
}

describe('migrate()', () => {
  it('leaves nothing open where it fails', async () => {
    const pool = openPool(server.url, { max: 1 })
    onTestFinished(() => pool.end())
    const store = postgresStore({ pool, schema: 'not_there' })
    await expect(store.migrate()).rejects.toMatchObject({ code: 'store-unavailable' })
    // In a transaction that has failed, this would be refused.
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    const [locks] = await server.query(
      `SELECT count(*)::int AS count FROM pg_locks WHERE locktype = 'advisory'`,
    )
    expect(locks).toEqual({ count: 0 })
    await store.close()
  })

  it('may run many times at once', async () => {
    const shop = await openShop(server)
    await Promise.all(Array.from({ length: 8 }, () => shop.another().migrate()))
  })

  it('is named where the tables are missing', async () => {
    const pool = openPool(server.url)
    onTestFinished(() => pool.end())
    const store = postgresStore({ pool, schema: 'not_there' })
    await expect(store.read('k')).rejects.toThrow(/migrate\(\)/)
    await store.close()
  })
})

describe('one client', () => {
  it('that breaks is an error of the calls, and no end of the process', async () => {
    const shop = await openShop(server)
    const store = await onOneClient(shop, 2_000)
    await store.acquire(claimOn('k'))
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE pid <> pg_backend_pid() AND query LIKE '%${shop.schema}%'`,
    )
    await until('it is refused', () =>
      store.read('k').then(
        () => false,
        (error) => error.code === 'store-unavailable',
      ),
    )
  })

  it('is not rolled back under the next, where a COMMIT takes too long', async () => {
    const shop = await openShop(server)
    await server.query(`CREATE FUNCTION ${shop.schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN IF NEW.sku = 'slow' THEN PERFORM pg_sleep(1); END IF; RETURN NEW; END $$`)
    await server.query(`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON ${shop.schema}.stock
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${shop.schema}.slow()`)
    const store = await onOneClient(shop, 2_000)
    const leases = [await leased(store, 'first'), await leased(store, 'second')] as const
    const impatient = await onOneClient(shop, 200)
    const first = fakeExecution(leases[0])
    const slow = impatient.transaction(first.execution, add(shop, 'slow'))
    const isRejected = expect(slow).rejects.toMatchObject({ code: 'store-unavailable' })
    await until('it is committed', async () => {
      const rows = await server.query(
        `SELECT FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'`,
      )
      return rows.length > 0
    })
    // Has the connection as soon as the first gives it up, while the server is still at its COMMIT.
    const second = fakeExecution(leases[1])
    expect(await impatient.transaction(second.execution, add(shop, 'second'))).toBe('second')
    await isRejected
    expect(first.calls.at(-1)).toBe('rolled back: unknown')
    expect(await store.read('second')).toMatchObject({ state: 'completed' })
    expect(await shop.effects()).toEqual(['slow', 'second'])
  })
})

describe('a transaction', () => {
  it('whose work has given its client back is committed all the same', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    await shop.store.transaction(execution, async (client) => {
      await add(shop, 'A-100')(client)
      ;(client as PoolClient).release()
    })
    expect(calls.at(-1)).toBe('committed')
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('whose connection is lost before its end is the store\u2019s failure', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    const lost = shop.store.transaction(execution, async (client) => {
      await client.query('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => {})
    })
    await expect(lost).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(calls.at(-1)).toBe('rolled back: failed')
  })
})

describe('a result', () => {
  it('is read in either form in which a server gives bytes', async () => {
    const shop = await openShop(server)
    const pool = openPool(server.url, { options: '-c bytea_output=escape' })
    const store = postgresStore({ pool, schema: shop.schema })
    onTestFinished(async () => {
      await store.close()
      await pool.end()
    })
    const result = Uint8Array.from({ length: 256 }, (_, at) => at)
    const lease = await leased(store, 'k')
    await store.complete(lease, { result, retentionMs: 60_000 })
    expect(await store.read('k')).toMatchObject({ result })
    expect(await store.complete(lease, { result, retentionMs: 60_000 })).toBe('ok')
    expect(await store.complete(lease, { result: bytes('other'), retentionMs: 1 })).toBe('stale')
  })
})

describe.skipIf(!hasPostgresServer)('a server', () => {
  it('that hangs refuses in time, its late claim bars nobody, and close() does not wait for it', async () => {
    const own = await startPostgres()
    onTestFinished(() => own.stop())
    const shop = await openShop(own)
    const layer = createIdempotency({ store: shop.store, storeTimeoutMs: 300 })
    const operation = { key: 'k', scope: 's' }
    // A connection that is open when the server stops answering.
    await layer.run({ ...operation, key: 'before' }, async () => 1)
    await own.pause()
    let runs = 0
    const work = async ({ attempt }: { attempt: number }) => {
      runs++
      return attempt
    }
    await expect(layer.run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    own.resume()
    const value = await until('the key is free', () =>
      layer.run(operation, work).catch(() => false),
    )
    expect(value).toBe(1)
    expect(runs).toBe(1)
    const another = shop.another({ storeTimeoutMs: 200 })
    await another.read('k')
    await own.pause()
    const hung = another.read('k').catch(() => {})
    await another.close()
    own.resume()
    await hung
  })

  it('that is killed has what it acknowledged when it is back, effects and record alike', async () => {
    const own = await startPostgres()
    onTestFinished(() => own.stop())
    const shop = await openShop(own)
    const { run } = createIdempotency({ store: shop.store })
    const once = () =>
      run({ key: 'k', scope: 's' }, (execution) =>
        shop.store.transaction(execution, add(shop, 'A-100')),
      )
    const value = await once()
    await own.kill()
    await own.start()
    expect(await until('it answers', () => once().catch(() => false as const))).toBe(value)
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('that is killed while a handler runs is told its end when it is back, and the answer is replayed', async () => {
    const own = await startPostgres()
    onTestFinished(() => own.stop())
    const shop = await openShop(own)
    const layer = createIdempotency({ store: shop.store, storeTimeoutMs: 300 })
    const retried: unknown[] = []
    layer.events.on('completion-retried', (detail) => retried.push(detail))
    const operation = { key: 'k', scope: 's' }
    let runs = 0
    const work = async () => {
      runs++
      await own.kill()
      return { order: 1 }
    }
    expect(await layer.run(operation, work)).toEqual({ order: 1 })
    await until('the end is tried again', () => retried.length > 0)
    await own.start()
    const again = await until('it is replayed', () =>
      layer.run(operation, work).catch(() => false as const),
    )
    expect(again).toEqual({ order: 1 })
    expect(runs).toBe(1)
  })
})
