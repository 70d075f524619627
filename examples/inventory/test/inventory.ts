import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, onTestFinished } from 'vitest'
import {
  hasRedisServer,
  type RedisServer,
  startRedis,
} from '../../../packages/redis/test/servers/redis-server.js'
import { type Server, startServer } from '../demo/processes.mjs'
import { type Choice, targets } from '../demo/targets.mjs'

/** What a suite is about, for its title. */
export const titleOf = ({ target, store }: Choice) => `on ${targets[target].title}${keptIn[store]}`

/** Where a store keeps the keys, for a title. */
export const keptIn = {
  sqlite: '',
  memory: ' with its keys in memory',
  redis: ' with its keys on Redis',
}

/** A suite about an example on one of its stores, skipped where that is Redis and no server can be started. */
export const describeOn = (choice: Choice, title: string, tests: () => void): void => {
  const needsRedis = choice.store === 'redis'
  describe.skipIf(needsRedis && !hasRedisServer)(title, () => {
    if (needsRedis) withRedis()
    tests()
  })
}

let redis: RedisServer | undefined
/** Which of Redis's databases goes with which file of stock: a key of another test must not be known. */
const numbers = new Map<string, number>()

const withRedis = () =>
  beforeAll(async () => {
    const server = await startRedis({ config: { appendonly: 'yes', databases: 100 } })
    redis = server
    numbers.clear()
    return () => server.stop()
  })

const redisUrlFor = (database: string) => {
  const number = numbers.get(database) ?? numbers.size
  numbers.set(database, number)
  return redis && `${redis.url}/${number}`
}

const newFolder = () => mkdtempSync(join(tmpdir(), 'inventory-test-'))
const remove = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })

/** A database file that is there for one test, which says itself when it is finished where others run beside it. */
export const newDatabase = (whenFinished: typeof onTestFinished = onTestFinished) => {
  const folder = newFolder()
  whenFinished(() => remove(folder))
  return join(folder, 'inventory.db')
}

/** One server for all the tests of a suite; answers the address, which is known when they run. */
export const serveAll = (choice: Choice): (() => string) => {
  let url = ''
  beforeAll(async () => {
    const folder = newFolder()
    const database = join(folder, 'inventory.db')
    const server = await startServer({ ...choice, database, redisUrl: redisUrlFor(database) })
    url = server.url
    return async () => {
      await server.kill()
      remove(folder)
    }
  })
  return () => url
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
  const startsAt = performance.now()
  const server = await startServer({ ...terms, database, redisUrl: redisUrlFor(database) })
  longestMs = Math.max(longestMs, performance.now() - startsAt)
  whenFinished(async () => {
    await server.kill()
  })
  return server
}
