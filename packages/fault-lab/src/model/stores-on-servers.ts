import type { IdempotencyStore } from '@retrysafe/core'
import { postgresStore } from '@retrysafe/postgres'
import { redisStore } from '@retrysafe/redis'
import { Redis } from 'ioredis'
import { openPool } from '../../../postgres/test/servers/open-pool.js'
import { somePostgres } from '../../../postgres/test/servers/some-postgres.js'
import { someRedis } from '../../../redis/test/servers/some-redis.js'
import type { ComparedStore } from './compared-store.js'
import { realClock } from './real-clock.js'
import { withPrefix } from './with-prefix.js'

/**
 * Batches side by side on the same two handles, told apart by their keys. What one purges may be another's: it is over,
 * and its being there or not makes no difference.
 */
const sideBySide = (handles: readonly IdempotencyStore[]): ComparedStore['open'] => {
  let batches = 0
  return async (place) => {
    const prefix = `model ${process.pid} ${++batches}: `
    let opened = 0
    return {
      ...(await realClock(place)),
      open: async () => withPrefix(handles[opened++ % handles.length] as IdempotencyStore, prefix),
      close: async () => {},
    }
  }
}

/** The Redis store: a connection for each handle. */
export const comparedRedis = async (): Promise<ComparedStore> => {
  const server = await someRedis()
  const clients = [new Redis(server.url), new Redis(server.url)]
  const stores = clients.map((client) => redisStore({ client, prefix: 'retrysafe-model:' }))
  await Promise.all(stores.map((store) => store.read('none')))
  return {
    name: 'redis',
    recordsPerBatch: 500,
    batchesAtOnce: 12,
    open: sideBySide(stores),
    close: async () => {
      await Promise.all(stores.map((store) => store.close()))
      for (const client of clients) client.disconnect()
      await server.stop()
    },
  }
}

/** The Postgres store: a pool for each handle. */
export const comparedPostgres = async (): Promise<ComparedStore> => {
  // Nobody kills it.
  const server = await somePostgres({ config: { fsync: 'off' } })
  const schema = `model_${process.pid}`
  await server.query(`CREATE SCHEMA ${schema}`)
  const pools = [openPool(server.url, { max: 4 }), openPool(server.url, { max: 4 })]
  const stores = pools.map((pool) => postgresStore({ pool, schema }))
  await stores[0]?.migrate()
  await Promise.all(stores.flatMap((store) => Array.from({ length: 4 }, () => store.read('none'))))
  return {
    name: 'postgres',
    recordsPerBatch: 200,
    batchesAtOnce: 10,
    open: sideBySide(stores),
    close: async () => {
      await Promise.all(stores.map((store) => store.close()))
      await Promise.all(pools.map((pool) => pool.end()))
      await server.query(`DROP SCHEMA ${schema} CASCADE`)
      await server.stop()
    },
  }
}
