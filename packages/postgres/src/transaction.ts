import { type Lease, type Rollback, timer, transactionSide } from '@retrysafe/core'
import type { Borrowed, Connections } from './connections.js'
import type { PostgresClient, Query, QueryAnswer } from './postgres-client.js'
import type { Statements } from './statements.js'
import { commitUnknown, endedByWork, leaseGone } from './transaction-errors.js'
import { sqlStateOf, unavailable } from './unavailable.js'
import { untilDone } from './undone.js'

/** What a transaction works with. */
export interface TransactionTerms {
  readonly connections: Connections
  readonly statements: Statements
  readonly storeTimeoutMs: number
  /** A record has been ended by a commit; told with what the ending answered. */
  readonly onEnded: (recordKey: string, rows: unknown[]) => void
}

/** How a transaction ended that did not reach COMMIT. */
class RolledBack extends Error {
  constructor(
    readonly reason: Rollback,
    readonly error: unknown,
  ) {
    super()
  }
}

export const createTransaction = (terms: TransactionTerms) => {
  const { connections, statements, storeTimeoutMs, onEnded } = terms

  /** What stands of the record, seen from inside the transaction. */
  const look = async (client: PostgresClient, { recordKey }: Lease): Promise<Entered> => {
    const { rows } = await asked(client, statements.enter(recordKey))
    return (rows as [Entered])[0]
  }

  /** Refuses a lease that is lost already. Answers the transaction's number. */
  const enter = async (client: PostgresClient, lease: Lease): Promise<string> => {
    const found = await look(client, lease)
    const loss = lossOf(found, lease)
    if (loss) throw loss
    return found.transaction
  }

  /** Why the ending has found no row to write. */
  const whyMissed = async (
    client: PostgresClient,
    lease: Lease,
    transaction: string,
  ): Promise<RolledBack> => {
    const found = await look(client, lease)
    const loss = found.transaction === transaction ? lossOf(found, lease) : undefined
    return loss ?? new RolledBack('failed', endedByWork())
  }

  /** Whether it was committed, where the answer to COMMIT is lost. Waits for the row: until then nobody knows. */
  const wasCommitted = async ({ recordKey, token }: Lease, verb: string): Promise<boolean> => {
    const { client, release } = await connections.borrow()
    try {
      const ask = () => client.query(statements.settled(recordKey))
      const { rows } = await within(storeTimeoutMs, untilDone(ask, storeTimeoutMs))
      release()
      const [found] = rows as [Pick<Entered, 'token' | 'state'>?]
      if (found === undefined) return verb === 'release'
      return found.token === token && found.state !== 'in_flight'
    } catch (error) {
      release(true)
      throw error
    }
  }

  /** Gives the connection back itself where it has broken. */
  const commit = async (
    { client, release }: Borrowed,
    lease: Lease | undefined,
    verb: string,
  ): Promise<void> => {
    let failure: unknown
    try {
      const { command } = await within(storeTimeoutMs, client.query({ text: 'COMMIT' }))
      if (command === 'COMMIT') return
      // Of a transaction that had failed, COMMIT makes a rollback.
      throw new RolledBack('failed', endedByWork())
    } catch (error) {
      if (error instanceof RolledBack) throw error
      // Refused by a constraint that was put off, or by another transaction: rolled back, and said so.
      if (isRefusal(error)) throw new RolledBack('failed', error)
      failure = error
    }
    release(true)
    if (lease === undefined) throw new RolledBack('unknown', commitUnknown(wordsOf(failure)))
    let isCommitted: boolean
    try {
      isCommitted = await wasCommitted(lease, verb)
    } catch (error) {
      throw new RolledBack('unknown', commitUnknown(wordsOf(error)))
    }
    if (!isCommitted) throw new RolledBack('failed', unavailable(failure))
  }

  /** A connection with an open transaction. */
  const begun = async (): Promise<Borrowed & { isReleased(): boolean }> => {
    const borrowed = await connections.borrow()
    let isReleased = false
    const release = (destroy?: boolean): void => {
      if (!isReleased) borrowed.release(destroy)
      isReleased = true
    }
    try {
      await borrowed.client.query({ text: 'BEGIN' })
    } catch (error) {
      release(true)
      throw error
    }
    return { client: borrowed.client, release, isReleased: () => isReleased }
  }

  /** See `PostgresStore.transaction`. */
  return async <T>(
    execution: object,
    work: (client: PostgresClient) => Promise<T> | T,
  ): Promise<T> => {
    const side = transactionSide(execution)
    const { lease } = side
    const borrowed = await begun().catch((error: unknown) => {
      side.rolledBack('busy')
      throw unavailable(error)
    })
    const { client, release } = borrowed

    let value: T
    let ended: unknown[] = []
    try {
      side.begin()
      const transaction = lease && (await enter(client, lease))
      value = await work(client)
      let verb = ''
      if (lease && transaction !== undefined) {
        const ending = await side.endingLater(value)
        verb = ending.verb
        const { rowCount, rows } = await asked(client, statements.endIn(transaction, lease, ending))
        ended = rows
        if (rowCount !== 1) throw await whyMissed(client, lease, transaction)
      }
      await commit(borrowed, lease, verb)
    } catch (cause) {
      const { reason, error } =
        cause instanceof RolledBack ? cause : new RolledBack('failed', cause)
      // After a COMMIT that broke it the connection may be lent to somebody else.
      if (!borrowed.isReleased()) release(!(await isRolledBack(client, storeTimeoutMs)))
      side.rolledBack(reason)
      throw error
    }
    release()
    side.committed(value)
    if (lease) onEnded(lease.recordKey, ended)
    return value
  }
}

/** Asks what is the store's own to ask: what goes wrong there is the store's, not the work's. */
const asked = (client: PostgresClient, question: Query): Promise<QueryAnswer> =>
  client.query(question).catch((error: unknown) => {
    throw unavailable(error)
  })

interface Entered {
  readonly token: string | null
  readonly state: string
  readonly transaction: string
}

const lossOf = ({ token, state }: Entered, lease: Lease): RolledBack | undefined => {
  if (token === null) return new RolledBack('gone', leaseGone('gone'))
  if (token === lease.token && state === 'in_flight') return undefined
  return new RolledBack('stale', leaseGone('stale'))
}

/** Leaves the connection as it was found; answers whether that went well. */
const isRolledBack = async (client: PostgresClient, timeoutMs: number): Promise<boolean> => {
  try {
    await within(timeoutMs, client.query({ text: 'ROLLBACK' }))
    return true
  } catch {
    return false
  }
}

/** The server's own no: an integrity constraint, a serialisation failure. Not 40003, by which it does not know itself. */
const isRefusal = (error: unknown): boolean => /^(23|40(?!003))/.test(sqlStateOf(error) ?? '')

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Waits no longer. What comes later is nobody's. */
const within = <T>(ms: number, answer: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = timer(ms, () => reject(new Error(`no answer within ${ms} ms`)), {
      keepAlive: true,
    })
    answer.then(resolve, reject).finally(late.stop)
  })
