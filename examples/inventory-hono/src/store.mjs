// @ts-check
import { memoryStore } from '@retrysafe/memory'
import { sqliteStore } from '@retrysafe/sqlite'

/**
 * How an adjustment is committed: resolves with the answer that the work has returned, when the adjustment stands.
 *
 * @typedef {(execution: import('@retrysafe/core').Execution,
 *   work: (derivedKey?: string) => import('@retrysafe/core').Answer,
 * ) => Promise<import('@retrysafe/core').Answer>} Commit
 */

/**
 * The store that `STORE` names, and how an adjustment is committed with it.
 *
 * @param {string} name
 * @param {import('better-sqlite3').Database} db The stock's.
 * @returns {{ store: import('@retrysafe/core').IdempotencyStore, commit: Commit }}
 */
export const openStore = (name, db) => {
  switch (name) {
    case 'sqlite': {
      const store = sqliteStore({ database: db })
      // One database, one transaction: adjustment and record stand or fall together.
      return { store, commit: (execution, work) => store.transaction(execution, () => work()) }
    }
    case 'memory': {
      db.pragma('synchronous = FULL')
      // The record comes later, or never: the key that every attempt derives keeps a second one from adjusting again.
      return {
        store: memoryStore(),
        commit: async (execution, work) =>
          db.transaction(work).immediate(execution.derivedKey('adjustment')),
      }
    }
    default:
      throw new Error(`STORE is sqlite or memory, not ${name}.`)
  }
}
