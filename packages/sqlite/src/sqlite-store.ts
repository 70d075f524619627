import {
  type Changes,
  changes,
  type IdempotencyStore,
  OptionError,
  purgeInSteps,
  startPurging,
} from '@retrysafe/core'
import { createBatch } from './batch.js'
import { untilFree } from './busy.js'
import { type Connection, fileOf, openConnection } from './connection.js'
import type { SqliteDatabase } from './database.js'
import { decideClaim } from './decision.js'
import { installedDriver } from './driver.js'
import { createGate, type Gate } from './gate.js'
import { isExpired, toRecord } from './record-row.js'
import { refuseUnfitDatabase, refuseUnfitPath, reopen } from './source.js'
import { checkedOptions, type SqliteOptions } from './sqlite-options.js'
import type { Synchronous } from './synchronous-work.js'
import { createTransaction } from './transaction.js'
import { createVerbs } from './verbs.js'

/** A store that shares the application's database, and can commit effects and record together. */
export interface SqliteStore extends IdempotencyStore {
  /**
   * Runs the work in a transaction on the application's connection and commits its effects and the record of the
   * execution together: both or neither. The work is synchronous, and must have given the answer when it returns.
   * Rejects with `transaction-open` or `lease-lost`, and nothing has run; with `store-unavailable` or
   * `transaction-broken`, and the record is not completed; with what the work throws, unchanged, and nothing stands.
   */
  transaction<T>(execution: object, work: () => Synchronous<T>): Promise<T>
}

/** The options with the database that the application works on: a file in WAL, open and writable. */
export interface SqliteStoreOptions extends SqliteOptions {
  readonly database: SqliteDatabase
}

/**
 * The store in a SQLite file: many processes on one machine. Durable when it answers.
 *
 * Given a path, it opens the file itself, and makes it where there is none. Given the application's database, it
 * works beside it on a connection of its own, and `transaction()` commits the application's effects with the record.
 * Opening may wait for other processes that start at the same time. A wrong option is an `OptionError`, a file
 * that cannot be used a `StoreError` that names it.
 *
 * @example
 * const store = sqliteStore('shop.db')
 * const shared = sqliteStore({ database: new Database('shop.db') })
 */
export function sqliteStore(path: string, options?: SqliteOptions): IdempotencyStore
export function sqliteStore(options: SqliteStoreOptions): SqliteStore
export function sqliteStore(
  source: string | SqliteStoreOptions,
  options: SqliteOptions = {},
): IdempotencyStore | SqliteStore {
  return typeof source === 'string' ? ownFile(source, options) : sharedFile(source)
}

const ownFile = (path: string, options: SqliteOptions): IdempotencyStore => {
  const checked = checkedOptions(options)
  refuseUnfitPath(path)
  const Driver = installedDriver()
  const open = () => new Driver(path, { timeout: 0, fileMustExist: false })
  const { synchronous } = checked
  const connection = openConnection({ file: path, synchronous, mayEnterWal: true, open })
  return createStore(connection, checked, createGate(connection.file), changes())
}

const sharedFile = (source: SqliteStoreOptions): SqliteStore => {
  if (typeof source !== 'object' || source === null)
    throw new OptionError(
      'sqliteStore() to be given a path or { database }',
      String(source),
      'It names the file that the records are in.',
    )
  const checked = checkedOptions(source)
  const { database } = source
  refuseUnfitDatabase(database)
  const { synchronous } = checked
  const file = fileOf(database)
  const open = () => reopen(database, file)
  const connection = openConnection({ file, synchronous, mayEnterWal: false, open })
  const gate = createGate(connection.file)
  const waiters = changes()
  const onEnded = waiters.tell
  const transaction = createTransaction({ database, file, onEnded, ...checked })
  return {
    ...createStore(connection, checked, gate, waiters),
    transactions: 'synchronous',
    transaction: (execution, work) => gate.enter(() => transaction(execution, work)),
  }
}

const createStore = (
  connection: Connection,
  options: Required<SqliteOptions>,
  { enter, close }: Gate,
  waiters: Changes,
): IdempotencyStore => {
  const { database, file, statements } = connection
  const { storeTimeoutMs, now, purgeEveryMs } = options
  const verbs = createVerbs(statements, now)
  const { write } = createBatch(connection, storeTimeoutMs)
  const find = (recordKey: string) =>
    untilFree(file, storeTimeoutMs, () => statements.find(recordKey))
  const purge = (limit: number) => write(() => statements.purge(limit, now()))
  const stopPurging = startPurging((limit) => enter(() => purge(limit)), purgeEveryMs)
  let closing: Promise<void> | undefined
  /** Of this process alone: who waits for another's record looks again by the clock. */
  const ending = async <Result>(recordKey: string, verb: () => Result): Promise<Result> => {
    const result = await write(verb)
    waiters.tell(recordKey)
    return result
  }

  return {
    acquire: (claim) =>
      enter(async () => {
        // Most claims that meet a record are answered by reading it: replays and conflicts need no write lock.
        const decision = decideClaim(await find(claim.recordKey), claim, now())
        return decision.kind === 'answer' ? decision.acquisition : write(() => verbs.acquire(claim))
      }),
    renew: (lease, terms) => enter(() => write(() => verbs.renew(lease, terms))),
    complete: (lease, terms) =>
      enter(() => ending(lease.recordKey, () => verbs.complete(lease, terms))),
    fail: (lease, terms) => enter(() => ending(lease.recordKey, () => verbs.fail(lease, terms))),
    release: (lease) => enter(() => ending(lease.recordKey, () => verbs.release(lease))),
    read: (recordKey) =>
      enter(async () => {
        const row = await find(recordKey)
        const at = now()
        return row && !isExpired(row, at) ? toRecord(row, at) : undefined
      }),
    changed: (recordKey, signal) => enter(async () => waiters.wait(recordKey, signal)),
    purgeExpired: (limit) => enter(() => purgeInSteps(purge, limit)),
    close() {
      closing ??= (async () => {
        stopPurging()
        waiters.clear()
        await close()
        database.close()
      })()
      return closing
    },
  } satisfies IdempotencyStore
}
