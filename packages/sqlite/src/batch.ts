import { busyPauseMs, isBusy, unavailable } from './busy.js'
import type { Connection } from './connection.js'

/** The longest batch: it bounds how long one turn of the event loop is held. */
const largestBatch = 256

/** Commits what is pending in one turn of the event loop together: with synchronous FULL the fsync is the cost. */
export interface Batch {
  /**
   * Runs the verb inside a write transaction at the end of this turn and answers once it is committed. It runs again
   * where the transaction came to nothing. Rejects with `store-unavailable`.
   */
  write<T>(verb: () => T): Promise<T>
}

interface Pending {
  readonly verb: () => unknown
  readonly resolve: (answer: never) => void
  readonly reject: (error: unknown) => void
  /** On the monotonic clock. */
  readonly endsAt: number
}

export const createBatch = (
  { database, file, statements }: Connection,
  storeTimeoutMs: number,
): Batch => {
  let pending: Pending[] = []
  let isScheduled = false

  const flush = (): void => {
    isScheduled = false
    const batch = pending.slice(0, largestBatch)
    pending = pending.slice(largestBatch)
    const again = commitTogether(batch)
    pending = [...again, ...pending]
    if (pending.length > 0) schedule(again.length > 0)
  }

  const schedule = (afterPause: boolean): void => {
    isScheduled = true
    if (afterPause) setTimeout(flush, busyPauseMs())
    else setImmediate(flush)
  }

  /** Answers those that are to be tried again, since the file was busy and their time is not over. */
  const commitTogether = (batch: readonly Pending[]): readonly Pending[] => {
    try {
      const answers = inOneTransaction(batch)
      for (const [index, { resolve }] of batch.entries()) resolve(answers[index] as never)
      return []
    } catch (error) {
      try {
        if (database.inTransaction) statements.rollback()
      } catch {
        // The connection is past saving: every verb is told so by its next try.
      }
      if (isBusy(error)) return batch.filter((each) => isInTime(each, error))
      // One of them is at fault, or has found the file full. Each alone, so that it does not take the others along.
      if (batch.length > 1) return batch.flatMap((each) => commitTogether([each]))
      for (const { reject } of batch) reject(unavailable(file, error))
      return []
    }
  }

  const inOneTransaction = (batch: readonly Pending[]): readonly unknown[] => {
    statements.begin()
    const answers = batch.map(({ verb }) => verb())
    statements.commit()
    return answers
  }

  const isInTime = ({ endsAt, reject }: Pending, error: unknown): boolean => {
    if (performance.now() < endsAt) return true
    reject(unavailable(file, error))
    return false
  }

  return {
    write: <T>(verb: () => T): Promise<T> =>
      new Promise<T>((resolve, reject) => {
        pending.push({ verb, resolve, reject, endsAt: performance.now() + storeTimeoutMs })
        if (!isScheduled) schedule(false)
      }),
  }
}
