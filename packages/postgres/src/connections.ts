import { timer } from '@retrysafe/core'
import { Pool } from 'pg'
import type { PostgresClient, PostgresPool } from './postgres-client.js'
import type { CheckedOptions } from './postgres-options.js'
import { noConnection } from './unavailable.js'

/** Where the store's connections come from. */
export interface Connections {
  /** A connection; rejects with `store-unavailable` where there is none in time, and nothing has been sent. */
  borrow(): Promise<Borrowed>
  /** What one more connection to the same database is made with; `undefined` where that is not known. */
  readonly options: object | undefined
  /** Closes what the store opened. */
  close(): Promise<void>
}

/** A connection that is to be given back. */
export interface Borrowed {
  readonly client: PostgresClient
  /** Once; with `true` it is closed, where that is the store's to do. */
  release(destroy?: boolean): void
}

type Lend = () => Promise<Borrowed>

export const openConnections = (options: CheckedOptions): Connections => {
  const { url, client, storeTimeoutMs } = options
  const own = url === undefined ? undefined : ownPool(url)
  const pool = own ?? options.pool
  client?.on('error', unheard)
  const lend = pool ? fromPool(pool) : oneByOne(client as PostgresClient)

  return {
    options: pool?.options,
    borrow: () =>
      new Promise((resolve, reject) => {
        let isLate = false
        const refuse = (): void => {
          isLate = true
          reject(noConnection(`none within ${storeTimeoutMs} ms`))
        }
        // A connection that has come while the event loop stood still is heard of in this very turn.
        const late = timer(storeTimeoutMs, () => setImmediate(refuse), { keepAlive: true })
        lend().then(
          (lent) => {
            late.stop()
            // Whoever asked has been told that there is none: what has not been sent need not be taken back.
            if (isLate) lent.release()
            else resolve(lent)
          },
          (error: unknown) => {
            late.stop()
            reject(error)
          },
        )
      }),
    close: async () => {
      client?.off('error', unheard)
      await own?.end()
    },
  }
}

const ownPool = (url: string) => {
  const pool = new Pool({ connectionString: url, application_name: 'retrysafe', keepAlive: true })
  // What is wrong with an idle connection is told by the next one.
  pool.on('error', () => {})
  return pool
}

const fromPool =
  (pool: PostgresPool): Lend =>
  async () => {
    const client = await pool.connect()
    // A connection that breaks while it is lent tells its pool nothing, and ends the process where nobody hears it.
    client.on('error', unheard)
    return {
      client,
      release: (destroy) => {
        client.off('error', unheard)
        try {
          client.release(destroy)
        } catch {
          // The work has given it back itself.
        }
      },
    }
  }

const unheard = (): void => {}

/** One connection for all, lent to one after the other. */
const oneByOne = (client: PostgresClient): Lend => {
  let last: Promise<void> = Promise.resolve()
  return async () => {
    const before = last
    let release = (): void => {}
    last = new Promise((resolve) => {
      release = resolve
    })
    await before
    return { client, release }
  }
}
