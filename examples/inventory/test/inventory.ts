import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, onTestFinished } from 'vitest'
import {
  hasPostgresServer,
  type PostgresServer,
  startPostgres,
} from '../../../packages/postgres/test/servers/postgres-server.js'
import {
  hasRedisServer,
  type RedisServer,
  startRedis,
} from '../../../packages/redis/test/servers/redis-server.js'
import { type Server, startServer } from '../demo/processes.mjs'
import { type Choice, type Store, targets } from '../demo/targets.mjs'

/** What a suite is about, for its title. */
export const titleOf = ({ target, store }: Choice) => `on ${targets[target].title}${keptIn[store]}`

/** Where a store keeps the keys, for a title. */
export const keptIn = {
  sqlite: '',
  postgres: ' and Postgres',
  memory: ' with its keys in memory',
  redis: ' with its keys on Redis',
}

/** Whether what a store needs can be started here. */
export const isThere = (store: Store) => servers[store]?.isHere ?? true

/** A suite about an example on one of its stores, skipped where its server cannot be started. */
export const describeOn = (choice: Choice, title: string, tests: () => void): void => {
  const server = servers[choice.store]
  describe.skipIf(!isThere(choice.store))(title, () => {
    if (server)
      beforeAll(async () => {
        numbers.clear()
        return server.start()
      })
    tests()
  })
}

let redis: RedisServer | undefined
let postgres: PostgresServer | undefined
/** Each starts one server for a suite, and answers what ends it. */
const servers: Partial<Record<Store, { isHere: boolean; start(): Promise<() => Promise<void>> }>> =
  {
    redis: {
      isHere: hasRedisServer,
      start: async () => {
        const server = await startRedis({ config: { appendonly: 'yes', databases: 100 } })
        redis = server
        return () => server.stop()
      },
    },
    postgres: {
      isHere: hasPostgresServer,
      start: async () => {
        const server = await startPostgres()
        postgres = server
        return () => server.stop()
      },
    },
  }

/**
 * What goes with which file of stock, by a number: one of Redis's databases, where a key of another test must not be
 * known, or a schema of Postgres, which takes the file's place.
 */
const numbers = new Map<string, number>()

const addressesFor = async (store: Store, database: string) => {
  const number = numbers.get(database) ?? numbers.size
  numbers.set(database, number)
  if (store === 'redis') return { database, redisUrl: redis && `${redis.url}/${number}` }
  if (store !== 'postgres' || !postgres) return { database }
  await postgres.query(`CREATE SCHEMA IF NOT EXISTS stock_${number}`)
  // Without a folder: who opened a file all the same would be found out.
  return {
    database: join(database, 'none.db'),
    databaseUrl: `${postgres.url}?options=-csearch_path%3Dstock_${number}`,
  }
}

const newFolder = () => mkdtempSync(join(tmpdir(), 'inventory-test-'))
const remove = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })

/** A database file that is there for one test, which says itself when it is finished where others run beside it. */
export const newDatabase = (whenFinished: typeof onTestFinished = onTestFinished) => {
  const folder = newFolder()
  whenFinished(() => remove(folder))
  return join(folder, 'inventory.db')
}

/** One server for all the tests of a suite; answers what gives it when they run. */
export const serveAll = (choice: Choice): (() => Server) => {
  let server: Server
  beforeAll(async () => {
    const folder = newFolder()
    const database = join(folder, 'inventory.db')
    server = await startServer({ ...choice, ...(await addressesFor(choice.store, database)) })
    return async () => {
      await server.kill()
      remove(folder)
    }
  })
  return () => server
}

let longestMs = 0
/** What starting a server has taken so far, at the most. */
export const longestStartMs = () => Math.ceil(longestMs)

/** The real server in a process of its own, for one test. */
export const serve = async (
  terms: Choice & { database?: string; leaseMs?: number; workMs?: number },
  whenFinished: typeof onTestFinished = onTestFinished,
): Promise<Server> => {
  const database = terms.database ?? newDatabase(whenFinished)
  const addresses = await addressesFor(terms.store, database)
  const startsAt = performance.now()
  const server = await startServer({ ...terms, ...addresses })
  longestMs = Math.max(longestMs, performance.now() - startsAt)
  whenFinished(async () => {
    await server.kill()
  })
  return server
}
