import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DescribeBindingOptions } from '@retrysafe/conformance'
import { memoryStore } from '@retrysafe/memory'
import { sqliteStore } from '@retrysafe/sqlite'
import { Cluster, Redis } from 'ioredis'
import { afterAll } from 'vitest'
import { openPool } from '../../postgres/test/servers/open-pool.js'
import { hasPostgresServer, startPostgres } from '../../postgres/test/servers/postgres-server.js'
import { onSuiteClock as onPostgres } from '../../postgres/test/suite-clock.js'
import { startCluster } from '../../redis/test/servers/redis-cluster.js'
import { hasRedisServer, startRedis } from '../../redis/test/servers/redis-server.js'
import { onSuiteClock as onRedis } from '../../redis/test/suite-clock.js'

const folder = mkdtempSync(join(tmpdir(), 'retrysafe-binding-'))
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
let files = 0

/** On servers that live as long as the test file; none where there is no program of Redis, which has been said. */
const redisStores = async (): Promise<[name: string, DescribeBindingOptions][]> => {
  if (!hasRedisServer) return []
  const [server, cluster] = await Promise.all([startRedis(), startCluster({ replicasEach: 0 })])
  const client = new Redis(server.url)
  const clusterClient = new Cluster(cluster.startupNodes)
  afterAll(async () => {
    client.disconnect()
    clusterClient.disconnect()
    await Promise.all([server.stop(), cluster.stop()])
  })
  return [
    ['Redis', { openStore: (now) => onRedis(client, now) }],
    ['a Redis Cluster', { openStore: (now) => onRedis(clusterClient, now) }],
  ]
}

/** The same with Postgres. */
const postgresStores = async (): Promise<[name: string, DescribeBindingOptions][]> => {
  if (!hasPostgresServer) return []
  // Nobody kills it, and every application makes tables.
  const server = await startPostgres({ config: { fsync: 'off' } })
  const pool = openPool(server.url)
  afterAll(async () => {
    await pool.end()
    await server.stop()
  })
  return [['Postgres', { openStore: (now) => onPostgres(pool, now) }]]
}

/** The stores that every binding is proven on. */
export const realStores: readonly (readonly [name: string, DescribeBindingOptions])[] = [
  ['memory', { openStore: (now) => memoryStore({ now }) }],
  ['SQLite', { openStore: (now) => sqliteStore(join(folder, `${++files}.db`), { now }) }],
  ...(await redisStores()),
  ...(await postgresStores()),
]
