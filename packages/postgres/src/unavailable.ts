import { explain, isIdempotencyError, StoreError } from '@retrysafe/core'

/** There is no connection to ask on. */
export const noConnection = (got: string): StoreError =>
  new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      'a connection to Postgres',
      got,
      'What the server has not been asked is not protected.',
    ),
    { unasked: true },
  )

/**
 * Postgres's own words, without its error, on which the driver may hang what was to be stored. An error of ours
 * passes as it is.
 */
export const unavailable = (cause: unknown): Error => {
  if (isIdempotencyError(cause)) return cause
  const words = cause instanceof Error ? cause.message : String(cause)
  const sqlState = sqlStateOf(cause)
  const code = sqlState === diskFull ? 'store-full' : 'store-unavailable'
  return new StoreError(
    code,
    explain(
      code,
      sqlState === undefinedTable ? 'the tables to be there' : 'Postgres to answer',
      sqlState ? `${sqlState}: ${words}` : words,
      sqlState === undefinedTable
        ? 'Run migrate() of the store, or the SQL that postgresSchema() gives.'
        : 'What is not in the store is not protected.',
    ),
  )
}

const diskFull = '53100'
const undefinedTable = '42P01'

/** Postgres's code of an error, if it is one of Postgres's. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}
