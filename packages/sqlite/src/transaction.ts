import {
  type Ending,
  type Lease,
  type Rollback,
  type TransactionSide,
  transactionSide,
} from '@retrysafe/core'
import { busyPause, isBusy, isConstraint, unavailable } from './busy.js'
import type { SqliteDatabase } from './database.js'
import { raiseDurability } from './durability.js'
import { despiteHalfRead } from './half-read.js'
import { prepareStatements, type Statements } from './statements.js'
import { refuseAsynchronous, refuseThenable, type Synchronous } from './synchronous-work.js'
import { broken, endedByWork, leaseGone, transactionOpen } from './transaction-errors.js'

/** What a transaction works with. */
export interface TransactionTerms {
  /** The application's own connection. */
  readonly database: SqliteDatabase
  readonly file: string
  readonly storeTimeoutMs: number
  readonly synchronous: 'full' | 'normal'
  readonly now: () => number
  /** A record has been ended by a commit. */
  readonly onEnded: (recordKey: string) => void
}

type Outcome<T> =
  | { readonly kind: 'committed'; readonly value: T }
  | { readonly kind: 'rolled-back'; readonly reason: Rollback; readonly error: unknown }
  /** Another connection writes; nothing has run. */
  | { readonly kind: 'busy'; readonly cause: unknown }

/** Inside the transaction the token decides, not the clock: no record has expired by then. */
const beforeAllTime = -1

/**
 * `transaction()` on the application's connection. Each try is synchronous from BEGIN to COMMIT, so that nothing
 * of the application's can get in between, and the connection is left as it was found.
 */
export const createTransaction = (terms: TransactionTerms) => {
  const { database, file, storeTimeoutMs, synchronous, now, onEnded } = terms
  let prepared: Statements | undefined

  const attempt = <T>(side: TransactionSide, work: () => Synchronous<T>): Outcome<T> => {
    let restore: (() => void) | undefined
    try {
      restore = raiseDurability(database, synchronous)
      prepared ??= prepareStatements(database)
      prepared.begin()
    } catch (cause) {
      restore?.()
      if (isBusy(cause)) return { kind: 'busy', cause }
      return { kind: 'rolled-back', reason: 'busy', error: unavailable(file, cause) }
    }
    const outcome = insideTransaction(prepared, side, work)
    restore()
    return outcome
  }

  const insideTransaction = <T>(
    statements: Statements,
    side: TransactionSide,
    work: () => Synchronous<T>,
  ): Outcome<T> => {
    const rolledBack = (reason: Rollback, error: unknown): Outcome<T> => {
      // SQLite may have rolled back itself, and the work may have closed the database.
      try {
        if (database.inTransaction) despiteHalfRead(database, statements.rollback)
      } catch {
        // The connection is past saving; whoever waits is told what led here.
      }
      return { kind: 'rolled-back', reason, error }
    }
    let value: Synchronous<T>
    try {
      side.begin()
      const lost = side.lease && lostLease(statements, side.lease)
      if (lost) return rolledBack(lost, leaseGone(lost, file))
      statements.mark()
      value = work()
      refuseThenable(value)
      if (side.lease) writeEnding(statements, side.lease, side.ending(value))
      requireOurs(statements)
    } catch (error) {
      return rolledBack('failed', error)
    }
    try {
      statements.commit()
    } catch (error) {
      return rolledBack('failed', isConstraint(error) ? error : unavailable(file, error))
    }
    return { kind: 'committed', value }
  }

  const lostLease = (
    statements: Statements,
    { recordKey, token }: Lease,
  ): 'gone' | 'stale' | undefined => {
    const row = statements.find(recordKey)
    if (!row) return 'gone'
    return row.token === token && row.state === 'in_flight' ? undefined : 'stale'
  }

  const writeEnding = (statements: Statements, lease: Lease, ending: Ending): void => {
    // Outside a transaction this write would commit by itself.
    if (!database.inTransaction) throw endedByWork()
    if (!endRecord(statements, lease, ending))
      throw broken('the record to be as it was', 'a record that the work has changed')
  }

  const endRecord = (statements: Statements, lease: Lease, ending: Ending): boolean => {
    switch (ending.verb) {
      case 'complete':
        return statements.complete(lease, ending, now(), beforeAllTime)
      case 'fail':
        return statements.fail(lease, ending, now(), beforeAllTime)
      case 'release':
        return statements.release(lease, beforeAllTime)
    }
  }

  /** Throws where this is another transaction than the one that was begun, or none. */
  const requireOurs = (statements: Statements): void => {
    if (!database.inTransaction) throw endedByWork()
    try {
      statements.unmark()
    } catch (cause) {
      // A TypeError is the driver's own: the work has left a query half read.
      throw cause instanceof TypeError ? cause : endedByWork(cause)
    }
  }

  /** See `SqliteStore.transaction`. */
  return async <T>(execution: object, work: () => Synchronous<T>): Promise<T> => {
    const side = transactionSide(execution)
    refuseAsynchronous(work)
    const endsAt = performance.now() + storeTimeoutMs
    for (;;) {
      if (database.inTransaction) throw transactionOpen()
      const outcome = attempt(side, work)
      switch (outcome.kind) {
        case 'committed':
          side.committed(outcome.value)
          if (side.lease) onEnded(side.lease.recordKey)
          return outcome.value
        case 'rolled-back':
          side.rolledBack(outcome.reason)
          throw outcome.error
        case 'busy':
          if (performance.now() < endsAt) break
          side.rolledBack('busy')
          throw unavailable(file, outcome.cause)
      }
      await busyPause()
    }
  }
}
