import type { IdempotencyStore } from '@retrysafe/core'
import Database from 'better-sqlite3'
import { describe, expectTypeOf, it } from 'vitest'
import { type SqliteStore, sqliteStore } from '../src/index.js'

// Never called: the compiler is what is tested.
const compiles = (execution: object) => {
  const own = sqliteStore('shop.db', { synchronous: 'normal' })
  expectTypeOf(own).toEqualTypeOf<IdempotencyStore>()
  // @ts-expect-error: a store in a file of its own has no transaction.
  own.transaction(execution, () => 1)

  const shared = sqliteStore({ database: new Database('shop.db'), storeTimeoutMs: 100 })
  expectTypeOf(shared).toEqualTypeOf<SqliteStore>()
  expectTypeOf(shared.transaction(execution, () => 1)).toEqualTypeOf<Promise<number>>()
  expectTypeOf(shared.transaction(execution, () => {})).toEqualTypeOf<Promise<void>>()
  expectTypeOf(shared.transaction(execution, (): string | undefined => undefined)).toEqualTypeOf<
    Promise<string | undefined>
  >()

  // @ts-expect-error: an async function is refused.
  shared.transaction(execution, async () => 1)
  // @ts-expect-error: a promise is refused.
  shared.transaction(execution, () => Promise.resolve(1))
  // @ts-expect-error: a promise that may be is refused.
  shared.transaction(execution, () => (Math.random() > 0.5 ? Promise.resolve(1) : 1))

  // @ts-expect-error: an option that is none.
  sqliteStore('shop.db', { ttl: 1 })
  // @ts-expect-error: no database.
  sqliteStore({ storeTimeoutMs: 100 })
}

describe('the types of sqliteStore', () => {
  it('tell a store in a file of its own from one that shares a database', () => {
    expectTypeOf(compiles).toBeFunction()
  })
})
