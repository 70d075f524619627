import { createHash } from 'node:crypto'
import type { Claim, Ending, Lease, RenewTerms } from '@retrysafe/core'
import type { Query } from './postgres-client.js'
import { rowTypes } from './record-row.js'
import { tablesIn } from './schema.js'

/** All SQL that runs after `migrate()`. */
export type Statements = ReturnType<typeof createStatements>

/** The channel on which the keys of records are told whose attempt has ended. */
export const channel = 'retrysafe_ended'

/**
 * Durations go in and out, in milliseconds, and run on the server's clock: `statement_timestamp()`, which is one
 * instant for a whole statement, and not that of a transaction's begin.
 */
export const createStatements = (schema: string | undefined, prepare: boolean) => {
  const { records } = tablesIn(schema)
  const now = 'statement_timestamp()'
  const after = (parameter: string) => `${now} + ${parameter}::float8 * interval '1 millisecond'`
  const until = (instant: string) => `(extract(epoch FROM ${instant} - ${now}) * 1000)::float8`

  const statement = (name: string, text: string) => {
    // A connection may serve the stores of several schemas, and be older than an update of this package.
    const mark = createHash('sha256').update(text).digest('hex').slice(0, 12)
    const named = prepare ? { name: `retrysafe_${name}_${mark}` } : {}
    return (...values: unknown[]): Query => ({ ...named, text, values, types: rowTypes })
  }

  /**
   * Whether a claim may take the place of the row `r`: nothing counts of one that has expired; the others must be the
   * same request, and over.
   */
  const claimable = (fingerprint: string, takeover: string) =>
    `(r.expires_at <= ${now} OR r.fingerprint = ${fingerprint} AND (
       r.state = 'failed' AND (NOT r.in_doubt OR ${takeover})
       OR r.state = 'in_flight' AND r.lease_ends_at <= ${now} AND ${takeover}))`

  const columns = `r.token, r.fingerprint, r.state, r.attempt, r.after, r.in_doubt, r.progress, r.result,
    ${until('r.lease_ends_at')} AS lease_ms, ${until('r.expires_at')} AS life_ms`

  // What stands, unless it has expired.
  // Parameters: record key.
  const find = statement(
    'find',
    `SELECT ${columns} FROM ${records} r WHERE r.record_key = $1 AND r.expires_at > ${now}`,
  )

  // The same, and whether a claim may have it: most that meet a record are answered by that, and write nothing.
  // Parameters: record key, fingerprint, whether to take over.
  const look = statement(
    'look',
    `SELECT ${columns}, ${claimable('$2', '$3::boolean')} AS claimable
     FROM ${records} r WHERE r.record_key = $1 AND r.expires_at > ${now}`,
  )

  // The claim, decided by this one statement. No row: another stands there. Of two at once, one waits for the other's
  // row, and then finds it in its way.
  // Parameters: record key, token, fingerprint, lease, life, whether to take over.
  const claim = statement(
    'claim',
    `INSERT INTO ${records} AS r
       (record_key, token, fingerprint, state, attempt, after, lease_ends_at, expires_at)
     VALUES ($1, $2, $3, 'in_flight', 1, 'nothing', ${after('$4')}, ${after('$5')})
     ON CONFLICT (record_key) DO UPDATE SET
       token = excluded.token, fingerprint = excluded.fingerprint, state = 'in_flight',
       attempt = CASE WHEN r.expires_at <= ${now} THEN 1 ELSE r.attempt + 1 END,
       after = CASE WHEN r.expires_at <= ${now} THEN 'nothing'
                    WHEN r.state = 'failed' THEN 'failed' ELSE 'abandoned' END,
       progress = CASE WHEN r.expires_at <= ${now} THEN NULL ELSE r.progress END,
       awaited = r.awaited AND r.expires_at > ${now},
       in_doubt = false, result = NULL,
       lease_ends_at = excluded.lease_ends_at, expires_at = excluded.expires_at
     WHERE ${claimable('excluded.fingerprint', '$6::boolean')}
     RETURNING r.attempt, r.after, r.progress`,
  )

  // The row that a holder may write: none where its lease is lost, or where the record had expired.
  const held = `r.record_key = $1 AND r.token = $2 AND r.state = 'in_flight'`
  const alive = `${held} AND r.expires_at > ${now}`

  // No progress leaves the progress as it is. The life of the record is never shortened.
  // Parameters: record key, token, lease, progress or NULL.
  const renew = statement(
    'renew',
    `UPDATE ${records} r SET
       lease_ends_at = ${after('$3')}, expires_at = greatest(r.expires_at, ${after('$3')}),
       progress = coalesce($4::bytea, r.progress)
     WHERE ${alive}`,
  )

  /**
   * The three endings; they answer whether anybody waits for it. Inside a transaction the token decides and not the
   * clock, and the transaction must be the one that was begun: its number is the last parameter.
   */
  const endings = (name: string, condition: (last: string) => string) => ({
    // Parameters: record key, token, result, life.
    complete: statement(
      `${name}complete`,
      `UPDATE ${records} r SET state = 'completed', result = $3, progress = NULL, expires_at = ${after('$4')}
       WHERE ${condition('$5')} RETURNING r.awaited`,
    ),
    // Fingerprint, attempt and progress stay.
    // Parameters: record key, token, whether in doubt, life.
    fail: statement(
      `${name}fail`,
      `UPDATE ${records} r SET state = 'failed', in_doubt = $3, expires_at = ${after('$4')}
       WHERE ${condition('$5')} RETURNING r.awaited`,
    ),
    // Parameters: record key, token.
    release: statement(
      `${name}release`,
      `DELETE FROM ${records} r WHERE ${condition('$3')} RETURNING r.awaited`,
    ),
  })
  const alone = endings('', () => alive)
  const committed = endings('commit_', (last) => `${held} AND txid_current()::text = ${last}`)

  // At the begin of a transaction: what stands, the transaction's number, and that the server ends it when its process
  // stands still for longer than the lease; then another may take over, and must not wait for what this one holds.
  // Parameters: record key.
  const enter = statement(
    'enter',
    `SELECT r.token, r.state, txid_current()::text AS transaction,
       set_config('idle_in_transaction_session_timeout',
         greatest(1000, least(2147483647, ceil(coalesce(${until('r.lease_ends_at')}, 0))))::bigint::text, true)
     FROM (SELECT) AS one LEFT JOIN ${records} r ON r.record_key = $1`,
  )

  // Waits for a transaction that has written the row and not ended yet.
  // Parameters: record key.
  const settled = statement(
    'settled',
    `SELECT r.token, r.state FROM ${records} r WHERE r.record_key = $1 FOR UPDATE`,
  )

  // Parameters: record key.
  const announce = statement(
    'announce',
    `UPDATE ${records} r SET awaited = true WHERE r.record_key = $1 AND r.state = 'in_flight'`,
  )

  // Parameters: record key.
  const wake = statement('wake', `SELECT pg_notify('${channel}', $1)`)

  // Rows that another purges at the same time are left to it.
  // Parameters: how many at most.
  const purge = statement(
    'purge',
    `DELETE FROM ${records} WHERE record_key IN (
       SELECT record_key FROM ${records} WHERE expires_at <= ${now}
       ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  )

  const endOf = (
    { complete, fail, release }: typeof alone,
    { recordKey, token }: Lease,
    ending: Ending,
    ...last: string[]
  ): Query => {
    switch (ending.verb) {
      case 'complete':
        return complete(recordKey, token, ending.result, ending.retentionMs, ...last)
      case 'fail':
        return fail(recordKey, token, ending.inDoubt, ending.retentionMs, ...last)
      case 'release':
        return release(recordKey, token, ...last)
    }
  }

  return {
    find,
    look: ({ recordKey, fingerprint, takeover }: Claim) => look(recordKey, fingerprint, takeover),
    claim: ({ recordKey, token, fingerprint, leaseMs, retentionMs, takeover }: Claim) =>
      claim(recordKey, token, fingerprint, leaseMs, Math.max(leaseMs, retentionMs), takeover),
    renew: ({ recordKey, token }: Lease, { leaseMs, progress }: RenewTerms) =>
      renew(recordKey, token, leaseMs, progress ?? null),
    end: (lease: Lease, ending: Ending) => endOf(alone, lease, ending),
    endIn: (transaction: string, lease: Lease, ending: Ending) =>
      endOf(committed, lease, ending, transaction),
    enter,
    settled,
    announce,
    wake,
    purge,
  }
}
