import { OptionError } from '@retrysafe/core'
import { fileOf, journalMode } from './connection.js'
import type { DatabaseConstructor, SqliteDatabase } from './database.js'

/** Refuses a path that is no file. */
export const refuseUnfitPath = (path: string): void => {
  const name = path.trim()
  if (name !== '' && name !== ':memory:') return
  throw new OptionError(
    'the path of a file',
    `'${path}'`,
    'A record in memory is seen by one connection and gone with it. For that, use @retrysafe/memory.',
  )
}

/**
 * Refuses a database that the store could not share: the verbs run on a connection of their own to the same file,
 * while the application may be in a transaction on this one.
 */
export const refuseUnfitDatabase = (database: SqliteDatabase): void => {
  if (!isDatabase(database)) throw refusal('a Database of better-sqlite3', describe(database))
  if (!database.open) throw refusal('an open database', `one that is closed, ${database.name}`)
  if (database.inTransaction)
    throw refusal(
      'a database without an open transaction',
      `one with, ${database.name}`,
      'The tables are made on another connection, which would wait for it.',
    )
  if (database.memory || fileOf(database) === '')
    throw refusal('a database in a file', 'one in memory or a temporary one')
  if (database.readonly)
    throw refusal(
      'a database that can be written to',
      `one opened read-only, ${database.name}`,
      'Effects and record are committed on it.',
    )
  const mode = journalMode(database)
  if (mode !== 'wal')
    throw refusal(
      'a database in WAL mode',
      `journal_mode ${mode}, ${database.name}`,
      `Otherwise readers and writers block each other. Run db.pragma('journal_mode = WAL'); the store does not change it.`,
    )
}

/** Opens the file of a handed-in database once more, with the very driver that it was made with. */
export const reopen = (database: SqliteDatabase, file: string): SqliteDatabase => {
  const Driver = database.constructor as DatabaseConstructor
  return new Driver(file, { timeout: 0, fileMustExist: true })
}

const isDatabase = (value: unknown): value is SqliteDatabase => {
  const database = value as Partial<SqliteDatabase> | null | undefined
  return (
    typeof database === 'object' &&
    database !== null &&
    typeof database.prepare === 'function' &&
    typeof database.pragma === 'function' &&
    typeof database.inTransaction === 'boolean'
  )
}

const describe = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? `a ${value.constructor?.name ?? 'bare object'}`
    : String(value)

const refusal = (
  expected: string,
  got: string,
  why = 'The verbs run on a connection of their own to the same file.',
): OptionError => new OptionError(`"database" to be ${expected}`, got, why)
