import type { SqliteDatabase } from './database.js'

/**
 * Runs what must run though a query of the application's may be half read: the driver refuses every write then,
 * SQLite does not. Where unsafe mode is on already the first try succeeds, so that it is never turned off for good.
 */
export const despiteHalfRead = (database: SqliteDatabase, action: () => void): void => {
  try {
    action()
  } catch (error) {
    // SQLite's own errors are no TypeErrors.
    if (!(error instanceof TypeError)) throw error
    database.unsafeMode(true)
    try {
      action()
    } finally {
      database.unsafeMode(false)
    }
  }
}
