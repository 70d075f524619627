// @ts-check
import { answer } from '@retrysafe/core'
import { memoryStore } from '@retrysafe/memory'
import { sqliteStore } from '@retrysafe/sqlite'
import { give } from './give.mjs'

/** @typedef {import('@retrysafe/example-inventory/reply').Reply} Reply */
/**
 * How an adjustment is committed: resolves when the adjustment stands and the reply of the work has been given.
 *
 * @typedef {(ctx: import('koa').Context, work: (derivedKey?: string) => Reply) => Promise<unknown>} Commit
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
      // One database, one transaction: adjustment and record stand or fall together, and the layer gives the answer.
      return {
        store,
        commit: (ctx, work) =>
          store.transaction(ctx.state.idempotency, () => {
            const { status, headers, body } = work()
            return answer(status, body, headers)
          }),
      }
    }
    case 'memory': {
      db.pragma('synchronous = FULL')
      // The record comes later, or never: the key that every attempt derives keeps a second one from adjusting again.
      return {
        store: memoryStore(),
        commit: async (ctx, work) =>
          give(ctx, db.transaction(work).immediate(ctx.state.idempotency.derivedKey('adjustment'))),
      }
    }
    default:
      throw new Error(`STORE is sqlite or memory, not ${name}.`)
  }
}
