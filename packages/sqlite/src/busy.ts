import { explain, isIdempotencyError, StoreError } from '@retrysafe/core'

/** SQLite's code of an error, if it is one of SQLite's. */
const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/**
 * Whether another connection is in the way and trying again helps: BUSY and LOCKED with their extended codes
 * (SNAPSHOT, RECOVERY, TIMEOUT), and PROTOCOL, which many openings of one file at once can give.
 */
export const isBusy = (error: unknown): boolean =>
  /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(codeOf(error))

/** Whether it is the application's own data that was refused, which trying again will not cure. */
export const isConstraint = (error: unknown): boolean =>
  codeOf(error).startsWith('SQLITE_CONSTRAINT')

/** 1 to 3 ms, never the same twice: two processes that wait for each other must not do so in step. */
export const busyPauseMs = (): number => 1 + Math.random() * 2

/** Waits the pause between two tries, on a timer: the event loop goes on, whoever holds the file. */
export const busyPause = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, busyPauseMs()))

/** The file cannot be asked, or is full. It is named, and SQLite's own words are kept. An error of ours passes as it is. */
export const unavailable = (file: string, cause: unknown): Error => {
  if (isIdempotencyError(cause)) return cause
  const words = cause instanceof Error ? cause.message : String(cause)
  const sqliteCode = codeOf(cause)
  const code = sqliteCode === 'SQLITE_FULL' ? 'store-full' : 'store-unavailable'
  return new StoreError(
    code,
    explain(
      code,
      `the SQLite file ${file} to answer`,
      sqliteCode ? `${sqliteCode}: ${words}` : words,
      'What is not in the file is not protected.',
    ),
    { cause, unreadable: /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode) },
  )
}

/**
 * Calls until SQLite is not busy, at the longest `timeoutMs`. The first call is made at once and in the same turn.
 * Rejects with `store-unavailable`.
 */
export const untilFree = async <T>(file: string, timeoutMs: number, call: () => T): Promise<T> => {
  const endsAt = performance.now() + timeoutMs
  for (;;) {
    try {
      return call()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= endsAt) throw unavailable(file, error)
    }
    await busyPause()
  }
}
