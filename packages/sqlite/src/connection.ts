import { busyPauseMs, isBusy, unavailable } from './busy.js'
import type { SqliteDatabase } from './database.js'
import { prepareSchema } from './schema.js'
import { prepareStatements, type Statements } from './statements.js'

/** How long opening may wait for other processes, in milliseconds. */
const openTimeoutMs = 5000

/** The store's own connection, ready for the verbs, and the file as SQLite names it. */
export interface Connection {
  readonly database: SqliteDatabase
  readonly file: string
  readonly statements: Statements
}

/** How the store's own connection is to be. */
export interface ConnectionTerms {
  readonly file: string
  readonly synchronous: 'full' | 'normal'
  /** Whether a file that is not in WAL may be switched to it: only one that is the store's own. */
  readonly mayEnterWal: boolean
  readonly open: () => SqliteDatabase
}

/**
 * Opens and migrates, all within the call. When several processes start at once they wait for each other here:
 * entering WAL and making tables need locks, and SQLite's busy time-out does not cover entering WAL. So each step
 * is tried again after a short sleep. It is the one place where the store sleeps; the server is not listening yet.
 * Throws `store-unavailable`, and leaves nothing open then.
 */
export const openConnection = ({
  file,
  synchronous,
  mayEnterWal,
  open,
}: ConnectionTerms): Connection => {
  let database: SqliteDatabase | undefined
  try {
    database = open()
    const connection = database
    const endsAt = performance.now() + openTimeoutMs
    // The driver's own time-out is 5 seconds: SQLite would sleep them on the event loop.
    connection.pragma('busy_timeout = 0')
    patiently(endsAt, () => requireWal(connection, mayEnterWal))
    setSynchronous(connection, synchronous)
    patiently(endsAt, () => prepareSchema(connection, file))
    return {
      database,
      file: fileOf(connection) || file,
      statements: prepareStatements(connection),
    }
  } catch (error) {
    database?.close()
    throw unavailable(file, error)
  }
}

/** The file behind a connection, absolute; empty for one in memory or temporary. */
export const fileOf = (database: SqliteDatabase): string => {
  const attached = database.pragma('database_list') as { name: string; file: string | null }[]
  return attached.find(({ name }) => name === 'main')?.file ?? ''
}

/** `wal`, `delete` and so on; only asks. */
export const journalMode = (database: SqliteDatabase): unknown =>
  database.pragma('main.journal_mode', { simple: true })

const requireWal = (connection: SqliteDatabase, mayEnterWal: boolean): void => {
  if (journalMode(connection) === 'wal') return
  const mode = mayEnterWal && connection.pragma('main.journal_mode = WAL', { simple: true })
  if (mode !== 'wal') throw new Error('it is not in WAL mode, and cannot be switched to it')
}

/**
 * better-sqlite3 is built so that a file which is in WAL already opens with synchronous NORMAL: it has to be set,
 * after WAL is known. On macOS an fsync does not reach the platter without `fullfsync`.
 */
const setSynchronous = (connection: SqliteDatabase, synchronous: 'full' | 'normal'): void => {
  connection.pragma(`main.synchronous = ${synchronous}`)
  if (synchronous === 'full' && process.platform === 'darwin') connection.pragma('fullfsync = 1')
}

const patiently = (endsAt: number, step: () => void): void => {
  for (;;) {
    try {
      step()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() >= endsAt) throw error
    }
    sleep(busyPauseMs())
  }
}

const sleep = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
