import { OptionError } from '@retrysafe/core'
import type { PostgresClient, PostgresPool } from './postgres-client.js'

/** What `postgresStore()` can be told, whoever makes the connections. */
export interface PostgresOptions {
  /**
   * The schema that the tables are in, by its exact name. It must be there.
   * @default what the connection's search_path finds
   */
  readonly schema?: string
  /**
   * How long a call waits for a connection, in milliseconds. Then it rejects with `store-unavailable`, and has not
   * been sent. Also how long `transaction()` waits for the answer to COMMIT before it finds out by itself.
   * @default 2000
   */
  readonly storeTimeoutMs?: number
  /**
   * Whether statements are prepared, once a connection. `false` behind a pooler that lends a connection for one
   * transaction and knows no prepared statements; then nothing listens either, and who waits looks by the clock.
   * @default true
   */
  readonly prepare?: boolean
  /**
   * How long to wait between two looks for expired records, in milliseconds. The timer keeps no process alive.
   * @default 60_000
   */
  readonly purgeEveryMs?: number
}

/** Where the records are. */
export type PostgresSource =
  | {
      /** A pool of pg. Stays open when the store is closed. */
      readonly pool: PostgresPool
      readonly client?: never
      readonly url?: never
    }
  | {
      /** One connection of pg, connected, which nobody else uses: calls go one after the other. Stays open. */
      readonly client: PostgresClient
      readonly pool?: never
      readonly url?: never
    }
  | {
      /** `postgres://user:password@host:port/database`: the store makes a pool of its own, of ten connections. */
      readonly url: string
      readonly pool?: never
      readonly client?: never
    }

/** What `postgresStore()` takes. */
export type PostgresStoreOptions = PostgresSource & PostgresOptions

/** The options with their defaults, each of them checked. */
export interface CheckedOptions {
  readonly pool: PostgresPool | undefined
  readonly client: PostgresClient | undefined
  readonly url: string | undefined
  readonly schema: string | undefined
  readonly storeTimeoutMs: number
  readonly prepare: boolean
  readonly purgeEveryMs: number
}

export const checkedOptions = (options: PostgresStoreOptions): CheckedOptions => {
  if (typeof options !== 'object' || options === null)
    throw new OptionError(
      'postgresStore() to be given { pool }, { client } or { url }',
      shown(options),
      whichDatabase,
    )
  const { pool, client, url, schema, storeTimeoutMs = 2000, prepare = true } = options
  const { purgeEveryMs = 60_000 } = options
  const given = [pool, client, url].filter((source) => source !== undefined).length
  if (given !== 1)
    throw new OptionError(
      'postgresStore() to be given one of { pool }, { client } and { url }',
      given === 0 ? 'none' : 'more than one',
      whichDatabase,
    )
  if (pool !== undefined && !has(pool, 'connect'))
    throw new OptionError('"pool" to be a pool of pg', shown(pool), whichDatabase)
  if (client !== undefined && !has(client, 'query'))
    throw new OptionError('"client" to be a client of pg', shown(client), whichDatabase)
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url))
    // Not shown: it may bear a password.
    throw new OptionError('"url" to begin with postgres://', 'another', whichDatabase)
  if (schema !== undefined && (typeof schema !== 'string' || schema === ''))
    throw new OptionError('"schema" to be the name of a schema', shown(schema), whichDatabase)
  if (typeof prepare !== 'boolean')
    throw new OptionError('"prepare" to be true or false', shown(prepare), 'A pooler may need it.')
  requireDuration('storeTimeoutMs', storeTimeoutMs, 'It bounds how long a call waits.')
  requireDuration('purgeEveryMs', purgeEveryMs, 'Expired records leave in this rhythm.')
  return {
    pool,
    client,
    url,
    schema,
    storeTimeoutMs,
    prepare,
    purgeEveryMs,
  }
}

const whichDatabase = 'It names the database that the records are in.'

const has = (value: unknown, method: string): boolean =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Record<string, unknown>)[method] === 'function'

const requireDuration = (name: string, value: unknown, why: string): void => {
  if (Number.isSafeInteger(value) && (value as number) > 0) return
  throw new OptionError(
    `"${name}" to be a positive whole number of milliseconds`,
    shown(value),
    why,
  )
}

const shown = (value: unknown): string => {
  if (typeof value === 'object' && value !== null)
    return `a ${value.constructor?.name ?? 'bare object'}`
  return typeof value === 'string' ? `'${value}'` : String(value)
}
