import { explain, StoreError } from '@retrysafe/core'
import type { SqliteDatabase } from './database.js'

/**
 * What brings the file from each version to the next; the length is the version that this code knows.
 *
 * Obligation: processes of the version before may be running on the file while it is migrated. A change that they
 * would misread goes into a table of another name, so that they fail instead.
 */
const migrations: readonly string[] = [
  // A rowid table with a unique key, not WITHOUT ROWID: two to three times faster to write, and smaller.
  // `expires_at` has an index of its own, so that purging reads nothing but what it removes. No CHECK on the words:
  // it costs about a sixth of a lifecycle, and a row with another word is refused when it is read.
  `CREATE TABLE main.retrysafe_records (
     record_key TEXT NOT NULL UNIQUE,
     token TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     state TEXT NOT NULL,
     attempt INTEGER NOT NULL,
     after TEXT NOT NULL,
     in_doubt INTEGER NOT NULL DEFAULT 0,
     lease_ends_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     progress BLOB,
     result BLOB
   ) STRICT;
   CREATE INDEX main.retrysafe_records_expiry ON retrysafe_records (expires_at);`,
]

/**
 * Makes or migrates the store's tables; where they are current it only reads. The version stands in a table of its
 * own: `user_version` belongs to the application, whose file this may be.
 * Throws SQLite's busy errors as they are; nothing has changed then.
 */
export const prepareSchema = (connection: SqliteDatabase, file: string): void => {
  if (versionOf(connection, file) === migrations.length) return
  connection.exec('BEGIN IMMEDIATE')
  try {
    // Read again: another process may have been faster.
    const version = versionOf(connection, file)
    for (const migration of migrations.slice(version)) connection.exec(migration)
    if (version === 0)
      connection.exec('CREATE TABLE main.retrysafe_schema (version INTEGER NOT NULL) STRICT')
    connection.exec(
      `DELETE FROM main.retrysafe_schema;
       INSERT INTO main.retrysafe_schema (version) VALUES (${migrations.length})`,
    )
    connection.exec('COMMIT')
  } catch (error) {
    if (connection.inTransaction) connection.exec('ROLLBACK')
    throw error
  }
}

/** 0 for a file without our tables. Refuses a version that this code does not know. */
const versionOf = (connection: SqliteDatabase, file: string): number => {
  const table = connection
    .prepare(`SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'retrysafe_schema'`)
    .get()
  if (!table) return 0
  const row = connection.prepare('SELECT version FROM main.retrysafe_schema').get()
  const { version } = row as { version: number }
  if (version <= migrations.length) return version
  throw new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      `the tables in ${file} to be of version ${migrations.length} at most`,
      `version ${version}`,
      'A newer retrysafe wrote them, and this one could misread them. Update @retrysafe/sqlite.',
    ),
  )
}
