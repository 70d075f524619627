// @ts-check
import { redisStore } from '@retrysafe/redis'
import { sqliteStore } from '@retrysafe/sqlite'

/** @typedef {import('@retrysafe/core').IdempotencyStore} AnyStore */
/**
 * The one that has `transaction()` keeps its records in the stock's own database.
 *
 * @typedef {AnyStore | import('@retrysafe/sqlite').SqliteStore} Store
 */

/**
 * The store that `STORE` names.
 *
 * @param {string} name
 * @param {object} parts
 * @param {import('better-sqlite3').Database} parts.db The stock's.
 * @param {string} parts.redisUrl
 * @param {Record<string, () => AnyStore>} [others] More stores to choose from, by name.
 * @returns {Store}
 */
export const openStore = (name, { db, redisUrl }, others = {}) => {
  /** @type {Record<string, () => Store>} */
  const stores = {
    sqlite: () => sqliteStore({ database: db }),
    redis: () => redisStore({ url: redisUrl }),
    ...others,
  }
  const open = Object.hasOwn(stores, name) ? stores[name] : undefined
  if (open) return open()
  throw new Error(`STORE is ${Object.keys(stores).join(' or ')}, not ${name}.`)
}
