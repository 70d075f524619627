// @ts-check
import { memoryStore } from '@retrysafe/memory'
import { postgresStore } from '@retrysafe/postgres'
import { redisStore } from '@retrysafe/redis'
import { sqliteStore } from '@retrysafe/sqlite'
import Database from 'better-sqlite3'
import { Pool } from 'pg'
import { openStock } from './stock.mjs'
import { openStockOnPostgres } from './stock-on-postgres.mjs'

/** @typedef {import('@retrysafe/core').IdempotencyStore} IdempotencyStore */
/** @typedef {import('./adjustment.mjs').Item} Item */
/** @typedef {import('./adjustment.mjs').Adjustment} Adjustment */
/** @typedef {import('./adjustment.mjs').Outcome} Outcome */
/**
 * @template T
 * @typedef {T | Promise<T>} Soon
 */
/**
 * The books of the warehouse: the stock, and the store that keeps the records of the keys. Whoever has them need not
 * know in which database they are.
 *
 * @typedef {object} Books
 * @property {IdempotencyStore} store
 * @property {<T>(
 *   execution: import('@retrysafe/core').Execution,
 *   update: { sku: string, delta: number },
 *   tell: (outcome: Outcome) => import('@retrysafe/sqlite').Synchronous<T>,
 * ) => Promise<T>} adjust Makes an adjustment once for the key of an execution. What `tell` makes of the outcome is its
 * answer, and what this resolves with. Where the store has transactions it is called inside.
 * @property {(sku: string) => Soon<Item | undefined>} find
 * @property {(id: string) => Soon<Adjustment | undefined>} adjustment
 * @property {() => Soon<Adjustment[]>} adjustments Oldest first.
 * @property {() => Soon<void>} close To be called when the layer is closed.
 */
/** @typedef {Partial<Record<'STORE' | 'DATABASE' | 'DATABASE_URL' | 'REDIS_URL', string>>} Environment */

/** @type {(environment: Environment) => Books} */
const onSqlite = (environment) => {
  const db = openFile(environment)
  const stock = openStock(db)
  const store = sqliteStore({ database: db })
  return {
    ...stock,
    store,
    // One database: the adjustment and the record of its key are committed together, or neither is.
    adjust: (execution, { sku, delta }, tell) =>
      store.transaction(execution, () => tell(stock.adjust(sku, delta))),
    close: () => void db.close(),
  }
}

/** @type {(environment: Environment) => Promise<Books>} */
const onPostgres = async ({ DATABASE_URL = 'postgres://localhost/postgres' }) => {
  const pool = new Pool({ connectionString: DATABASE_URL })
  // A connection that breaks while nobody uses it. The next one that is needed is made anew.
  pool.on('error', ({ message }) => console.error(`Postgres: ${message}`))
  const stock = await openStockOnPostgres(pool)
  const store = postgresStore({ pool })
  await store.migrate()
  return {
    ...stock,
    store,
    // One database here too; the work is asynchronous, and what it does goes by the transaction's client.
    adjust: (execution, { sku, delta }, tell) =>
      store.transaction(execution, async (client) => tell(await stock.adjust(client, sku, delta))),
    close: () => pool.end(),
  }
}

/**
 * The stock in its file, and the records elsewhere.
 *
 * @type {(environment: Environment, store: IdempotencyStore) => Books}
 */
const apart = (environment, store) => {
  const db = openFile(environment)
  const stock = openStock(db)
  return {
    ...stock,
    store,
    // The record comes later, or never: an attempt after that derives the same key, and finds the adjustment made.
    adjust: async (execution, { sku, delta }, tell) =>
      tell(stock.adjustOnce(sku, delta, execution.derivedKey('adjustment'))),
    close: () => void db.close(),
  }
}

/** @param {Environment} environment */
const openFile = ({ DATABASE = './inventory.db' }) => {
  const db = new Database(DATABASE)
  db.pragma('journal_mode = WAL')
  return db
}

/** @type {Record<string, (environment: Environment) => Soon<Books>>} */
const kinds = {
  sqlite: onSqlite,
  postgres: onPostgres,
  redis: (environment) =>
    apart(environment, redisStore({ url: environment.REDIS_URL ?? 'redis://localhost:6379' })),
  memory: (environment) => apart(environment, memoryStore()),
}

/**
 * Opens the books that `STORE` names.
 *
 * @param {Environment} environment
 * @returns {Promise<Books>}
 */
export const openBooks = async (environment) => {
  const { STORE = 'sqlite' } = environment
  const open = Object.hasOwn(kinds, STORE) ? kinds[STORE] : undefined
  if (open) return open(environment)
  throw new Error(`STORE is ${Object.keys(kinds).join(' or ')}, not ${STORE}.`)
}
