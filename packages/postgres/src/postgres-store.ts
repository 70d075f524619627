import {
  type Acquisition,
  type Claim,
  type Ending,
  IdempotencyError,
  type IdempotencyStore,
  type Lease,
  purgeInSteps,
  settledWithin,
  startPurging,
  type WriteResult,
} from '@retrysafe/core'
import type { Client, PoolClient } from 'pg'
import { openConnections } from './connections.js'
import type { Query, QueryAnswer } from './postgres-client.js'
import { checkedOptions, type PostgresStoreOptions } from './postgres-options.js'
import { progressOf, type RecordRow, toRecord } from './record-row.js'
import { postgresSchema } from './schema.js'
import { createStatements } from './statements.js'
import { createTransaction } from './transaction.js'
import { unavailable } from './unavailable.js'
import { untilDone } from './undone.js'
import { createWakeUps } from './wake-ups.js'

/** A store that shares the application's database, and can commit effects and record together. */
export interface PostgresStore extends IdempotencyStore {
  /** Makes the tables where they are missing. Any number of processes may call it at once. */
  migrate(): Promise<void>
  /**
   * Runs the work in a transaction and commits its effects and the record of the execution together: both or
   * neither. The work gets the transaction's connection, and must have given the answer when it resolves.
   * Rejects with `lease-lost`, and nothing stands; with `store-unavailable`, and the record is not completed, or
   * nobody could tell whether it is; with what the work throws, unchanged, and nothing stands.
   */
  transaction<T>(execution: object, work: (client: PoolClient | Client) => Promise<T>): Promise<T>
}

/**
 * The store in Postgres: many processes on many machines. Leases and retention run on the server's clock.
 *
 * Nothing is connected to before it is needed. The tables must be there: `migrate()` makes them. A wrong option is
 * an `OptionError`.
 *
 * @example
 * const store = postgresStore({ pool })
 * await store.migrate()
 */
export const postgresStore = (options: PostgresStoreOptions): PostgresStore => {
  const checked = checkedOptions(options)
  const { schema, prepare, purgeEveryMs, storeTimeoutMs } = checked
  const connections = openConnections(checked)
  const statements = createStatements(schema, prepare)
  const wakeUps = createWakeUps(prepare ? connections.options : undefined)
  let closing: Promise<void> | undefined
  let inside = 0
  let onEmpty = (): void => {}

  /** What closing the store waits for. */
  const counted = async <T>(call: () => Promise<T>): Promise<T> => {
    inside++
    try {
      return await call()
    } finally {
      inside--
      if (inside === 0) onEmpty()
    }
  }

  /** Lets a call in until the store is closed. */
  const enter = async <T>(call: () => Promise<T>): Promise<T> => {
    if (closing) throw new IdempotencyError('closed', 'idempotency: the Postgres store is closed')
    return counted(call)
  }

  const query = async (asked: Query): Promise<QueryAnswer> => {
    try {
      const { client, release } = await connections.borrow()
      try {
        return await untilDone(() => client.query(asked), storeTimeoutMs)
      } finally {
        release()
      }
    } catch (error) {
      throw unavailable(error)
    }
  }

  const find = async (recordKey: string): Promise<RecordRow | undefined> => {
    const { rows } = await query(statements.find(recordKey))
    return rows[0] as RecordRow | undefined
  }

  const acquire = async (claim: Claim): Promise<Acquisition> => {
    for (;;) {
      const { rows } = await query(statements.look(claim))
      const [stands] = rows as [(RecordRow & { claimable: boolean })?]
      if (stands && isHeldBy(stands, claim)) return acquiredAs(stands)
      if (stands && !stands.claimable) return { kind: 'exists', record: toRecord(stands) }
      const [claimed] = (await query(statements.claim(claim))).rows as [AcquiredRow?]
      if (claimed) return acquiredAs(claimed)
      // Another was faster, and has put a row in the way that was not there.
    }
  }

  /**
   * Tells those who wait in other processes. Not in the ending's own statement, nor waited for: what NOTIFY meets, such
   * as a queue that is full, must not undo an ending, and whoever is not told looks by the clock.
   */
  const wake = (recordKey: string): void =>
    void counted(() => query(statements.wake(recordKey))).catch(() => {})

  const write = async (
    lease: Lease,
    asked: Query,
    isSameAsBefore: (row: RecordRow) => boolean,
  ): Promise<WriteResult> => {
    const { rowCount, rows } = await query(asked)
    if (isAwaited(rows)) wake(lease.recordKey)
    if (rowCount === 1) return 'ok'
    const row = await find(lease.recordKey)
    if (!row) return 'gone'
    return row.token === lease.token && isSameAsBefore(row) ? 'ok' : 'stale'
  }

  const end = (
    lease: Lease,
    ending: Ending,
    isSameAsBefore: (row: RecordRow) => boolean,
  ): Promise<WriteResult> =>
    enter(async () => {
      const result = await write(lease, statements.end(lease, ending), isSameAsBefore)
      wakeUps.tell(lease.recordKey)
      return result
    })

  const purge = async (limit: number): Promise<number> =>
    (await query(statements.purge(limit))).rowCount ?? 0
  const stopPurging = startPurging((limit) => enter(() => purge(limit)), purgeEveryMs)

  const transaction = createTransaction({
    connections,
    statements,
    storeTimeoutMs,
    onEnded: (recordKey, rows) => {
      wakeUps.tell(recordKey)
      if (isAwaited(rows)) wake(recordKey)
    },
  })

  return {
    migrate: () =>
      enter(async () => {
        await query({ text: `${atReadCommitted}${postgresSchema(schema)}` })
      }),
    transaction: (execution, work) =>
      enter(() => transaction(execution, (client) => work(client as PoolClient | Client))),
    acquire: (claim) => enter(() => acquire(claim)),
    renew: (lease, terms) => enter(() => write(lease, statements.renew(lease, terms), () => false)),
    complete: (lease, terms) =>
      end(
        lease,
        { verb: 'complete', ...terms },
        ({ state, result }) =>
          state === 'completed' && result !== null && Buffer.compare(result, terms.result) === 0,
      ),
    fail: (lease, terms) =>
      end(
        lease,
        { verb: 'fail', ...terms },
        ({ state, in_doubt }) => state === 'failed' && in_doubt === terms.inDoubt,
      ),
    release: (lease) => end(lease, { verb: 'release' }, () => false),
    read: (recordKey) =>
      enter(async () => {
        const row = await find(recordKey)
        return row && toRecord(row)
      }),
    changed: (recordKey, signal) =>
      enter(async () => undefined).then(() =>
        wakeUps.wait(recordKey, signal, async () => {
          const { rowCount } = await query(statements.announce(recordKey))
          return rowCount === 1
        }),
      ),
    purgeExpired: (limit) => enter(() => purgeInSteps(purge, limit)),
    close: () => {
      closing ??= (async () => {
        stopPurging()
        const isEmpty = new Promise<void>((resolve) => {
          onEmpty = resolve
          if (inside === 0) resolve()
        })
        // A server that hangs, or work that does not end, is not waited for.
        await settledWithin(storeTimeoutMs, isEmpty)
        await settledWithin(storeTimeoutMs, Promise.all([wakeUps.close(), connections.close()]))
      })()
      return closing
    },
  } satisfies PostgresStore
}

/** At a higher level, one that has waited for another to make the tables would look at the time before it did. */
const atReadCommitted = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n'

/** Whether anybody waits for the record that an ending has written. */
const isAwaited = ([row]: unknown[]): boolean =>
  (row as { awaited?: boolean } | undefined)?.awaited === true

/** Whether the claim has been made already: its first answer was lost. */
const isHeldBy = (row: RecordRow, { token, fingerprint }: Claim): boolean =>
  row.state === 'in_flight' && row.token === token && row.fingerprint === fingerprint

type AcquiredRow = Pick<RecordRow, 'attempt' | 'after' | 'progress'>

const acquiredAs = (row: AcquiredRow): Acquisition => ({
  kind: 'acquired',
  attempt: row.attempt,
  after: row.after,
  ...progressOf(row),
})
