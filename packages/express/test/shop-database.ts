import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type SqliteOptions, type SqliteStore, sqliteStore } from '@retrysafe/sqlite'
import Database from 'better-sqlite3'
import { afterEach, beforeEach } from 'vitest'

export let database: Database.Database
/** Shares the database. */
export let store: SqliteStore

/** For every test of the file a database of its own, in which effects are counted. */
export const useShopDatabase = (): void => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'retrysafe-shop-'))
    database = new Database(join(folder, 'shop.db'))
    database.pragma('journal_mode = WAL')
    database.exec('CREATE TABLE effects (name TEXT)')
    store = sqliteStore({ database })
  })
  afterEach(async () => {
    await store.close()
    database.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  })
}

/** Another store on the database, with options of its own. */
export const reopenStore = (options: SqliteOptions): void => {
  store = sqliteStore({ database, ...options })
}

export const takeEffect = (name: string): void => {
  database.prepare('INSERT INTO effects VALUES (?)').run(name)
}
export const effects = (): unknown => database.prepare('SELECT count(*) FROM effects').pluck().get()
