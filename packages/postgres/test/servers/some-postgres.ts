import {
  hasPostgresServer,
  type PostgresServer,
  type StartPostgresOptions,
  startPostgres,
} from './postgres-server.js'
import { query } from './query.js'

const given = process.env.DATABASE_URL

/** Whether there is a server to talk to: one that can be started, or that of `DATABASE_URL`. */
export const hasSomePostgres = hasPostgresServer || Boolean(given)

/** A server to talk to, which may be somebody else's: its data is to be left alone, and it is not to be killed. */
export interface SomePostgres {
  readonly url: string
  /** One question on a connection of its own; answers the rows. */
  readonly query: PostgresServer['query']
  stop(): Promise<void>
}

/** A server of our own; that of `DATABASE_URL` only where none can be started. */
export const somePostgres = async (options?: StartPostgresOptions): Promise<SomePostgres> => {
  if (hasPostgresServer || !given) return startPostgres(options)
  return { url: given, query: (sql, values) => query(given, sql, values), stop: async () => {} }
}
