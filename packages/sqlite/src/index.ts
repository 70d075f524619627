export type { SqliteDatabase, SqliteStatement } from './database.js'
export type { SqliteOptions } from './sqlite-options.js'
export { type SqliteStore, type SqliteStoreOptions, sqliteStore } from './sqlite-store.js'
export type { Synchronous } from './synchronous-work.js'
