// @ts-check
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from './postgres.mjs'
import { startRedis } from './redis.mjs'

/**
 * Where the two sides keep their books.
 *
 * @typedef {object} Place
 * @property {string} home Where each has its own.
 * @property {string} [told] What else there is to know about it, for the reader.
 * @property {(layer: 'with' | 'without') => Promise<Addresses>} addressesOf
 * @property {() => Promise<unknown>} [forget] Leaves nothing on a server that stays.
 * @property {() => Promise<unknown>} [stop] Ends the server that was started for it.
 */
/** @typedef {{ database: string, redisUrl?: string, databaseUrl?: string }} Addresses */

/**
 * The place that goes with a store: in a folder, or on the server that the environment names.
 *
 * @param {import('./targets.mjs').Store} store
 * @param {string} folder
 * @returns {Promise<Place>}
 */
export const openPlace = async (store, folder) => {
  switch (store) {
    case 'sqlite':
      return inFiles(folder)
    case 'memory':
      return { ...inFiles(folder), told: toldOfMemory }
    case 'redis':
      return onRedis(folder, process.env.REDIS_URL)
    case 'postgres':
      return onPostgres(folder, process.env.DATABASE_URL)
  }
}

/** @param {string} folder */
const inFiles = (folder) => ({
  home: 'on a file of its own',
  /** @param {'with' | 'without'} layer */
  addressesOf: async (layer) => ({ database: join(folder, `${layer}.db`) }),
})

const toldOfMemory = `Its keys are in memory, so a server that is killed forgets them: the retry runs again, finds the adjustment that
was made, and answers with that.`

/** @type {(folder: string, given: string | undefined) => Promise<Place>} */
const onRedis = async (folder, given) => {
  const own = given ? undefined : await startRedis(folder)
  const where = own ? `one that was started for it, ${own.url}` : 'that of REDIS_URL'
  const redisUrl = /** @type {string} */ (own?.url ?? given)
  const files = inFiles(folder)
  return {
    ...files,
    told: `Its keys are on a Redis server (${where}), its stock is not: the two are not committed
together. A server that is killed leaves its key in flight. When the lease is over the retry runs again, under the
derived key of the first attempt: it makes the adjustment, or finds it made and answers with that.`,
    addressesOf: async (layer) => ({ ...(await files.addressesOf(layer)), redisUrl }),
    ...(own && { stop: own.stop }),
  }
}

/** @type {(folder: string, given: string | undefined) => Promise<Place>} */
const onPostgres = async (folder, given) => {
  const own = given ? undefined : await startPostgres(folder)
  const where = own ? `one that was started for it, ${own.url}` : 'that of DATABASE_URL'
  const url = /** @type {string} */ (own?.url ?? given)
  if (given)
    await tell(url, 'SELECT').catch(({ message, code }) => {
      throw new Error(`The Postgres server of DATABASE_URL cannot be used: ${message || code}`)
    })
  const run = randomUUID().slice(0, 8)
  const schemaOf = (/** @type {'with' | 'without'} */ layer) => `inventory_demo_${run}_${layer}`
  return {
    home: 'in a schema of its own',
    told: `Both are on a Postgres server
(${where}), and the keys beside the stock.`,
    addressesOf: async (layer) => {
      const schema = schemaOf(layer)
      await tell(url, `CREATE SCHEMA ${schema}`)
      return { database: '', databaseUrl: inSchema(url, schema) }
    },
    ...(own
      ? { stop: own.stop }
      : {
          forget: () =>
            tell(url, `DROP SCHEMA IF EXISTS ${schemaOf('with')}, ${schemaOf('without')} CASCADE`),
        }),
  }
}

/** @type {(url: string, schema: string) => string} */
const inSchema = (url, schema) => {
  const address = new URL(url)
  const options = address.searchParams.get('options') ?? ''
  address.searchParams.set('options', `${options} -csearch_path=${schema}`.trim())
  return address.href
}

/** Runs one statement on a connection of its own. */
/** @type {(url: string, sql: string) => Promise<void>} */
const tell = async (url, sql) => {
  const bounds = { connectionTimeoutMillis: 5_000, statement_timeout: 5_000 }
  const client = new pg.Client({ connectionString: url, ...bounds })
  try {
    await client.connect()
    await client.query(sql)
  } finally {
    await client.end()
  }
}
