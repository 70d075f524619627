import type { Claim, IdempotencyStore, Lease } from '@retrysafe/core'
import Database from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { type SqliteOptions, type SqliteStore, sqliteStore } from '../src/index.js'

/** A database as an application has it: in WAL, with the driver's defaults, and a table of its own. */
export const applicationDatabase = (
  file: string,
  Driver: typeof Database = Database,
): Database.Database => {
  const database = new Driver(file)
  onTestFinished(() => {
    database.close()
  })
  database.pragma('journal_mode = WAL')
  database.exec('CREATE TABLE IF NOT EXISTS stock (sku TEXT PRIMARY KEY, on_hand INTEGER)')
  return database
}

/** The store beside an application's database, closed with the test. */
export const sharedStore = (
  database: Database.Database,
  options: SqliteOptions = {},
): SqliteStore => closing(sqliteStore({ database, ...options }))

/** Closes the store with the test. */
export const closing = <Store extends IdempotencyStore>(store: Store): Store => {
  onTestFinished(() => store.close())
  return store
}

export const claimOf = (recordKey: string, terms: Partial<Claim> = {}): Claim => ({
  recordKey,
  token: `token of ${recordKey}`,
  fingerprint: 'print',
  leaseMs: 60_000,
  retentionMs: 86_400_000,
  takeover: true,
  ...terms,
})

/** Acquires a new record and answers its lease. */
export const leased = async (
  store: IdempotencyStore,
  recordKey: string,
  terms: Partial<Claim> = {},
): Promise<Lease> => {
  const claim = claimOf(recordKey, terms)
  const acquisition = await store.acquire(claim)
  if (acquisition.kind !== 'acquired') throw new Error(`${recordKey} is there already`)
  return { recordKey, token: claim.token }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Counts the turns of a 5 ms timer: none while something holds the event loop. */
export const countTicks = (): { stop(): number } => {
  let ticks = 0
  const timer = setInterval(() => ticks++, 5)
  return {
    stop() {
      clearInterval(timer)
      return ticks
    },
  }
}
