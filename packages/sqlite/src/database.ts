/**
 * What the store needs of a `better-sqlite3` database. It is written down here instead of taken from
 * `@types/better-sqlite3`, so that a user compiles without them, and drivers of the same shape fit.
 */
export interface SqliteDatabase {
  /** The file, as it was given. */
  readonly name: string
  /** Whether it is in memory or temporary: gone with its connection, and visible to no other. */
  readonly memory: boolean
  readonly readonly: boolean
  readonly open: boolean
  /** Whether a transaction is open on this very connection. */
  readonly inTransaction: boolean
  prepare(source: string): SqliteStatement
  pragma(source: string, options?: { simple?: boolean }): unknown
  exec(source: string): unknown
  /** Whether to write while a query is half read. */
  unsafeMode(on: boolean): unknown
  close(): unknown
}

/** A prepared statement of the driver. */
export interface SqliteStatement {
  run(...parameters: unknown[]): { readonly changes: number }
  get(...parameters: unknown[]): unknown
  /** Whether integers come as bigint. Set for each statement, since an application may have turned it on. */
  safeIntegers(on: boolean): unknown
}

/** How a driver opens a file. `timeout` is SQLite's busy time-out in milliseconds. */
export type DatabaseConstructor = new (
  file: string,
  options: { readonly timeout: number; readonly fileMustExist: boolean },
) => SqliteDatabase
