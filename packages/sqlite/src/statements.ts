import type { Claim, CompleteTerms, FailTerms, Lease, RenewTerms } from '@retrysafe/core'
import type { SqliteDatabase } from './database.js'
import { instantAfter, type RecordRow } from './record-row.js'

/** All SQL that runs after construction, prepared once for a connection. A write answers whether it changed a row. */
export type Statements = ReturnType<typeof prepareStatements>

/**
 * Prepares the statements on a connection, ours or the application's. Tables are named with `main`, since an
 * application may have a temporary or an attached table of the same name.
 */
export const prepareStatements = (connection: SqliteDatabase) => {
  const prepare = (source: string) => {
    const statement = connection.prepare(source)
    statement.safeIntegers(false)
    return statement
  }

  // IMMEDIATE takes the write lock at once: a transaction that read first and wrote later could be refused with
  // BUSY_SNAPSHOT in its middle.
  const begin = prepare('BEGIN IMMEDIATE')
  const commit = prepare('COMMIT')
  const rollback = prepare('ROLLBACK')

  // Marks a transaction as ours: RELEASE fails in any other that was begun since.
  const mark = prepare('SAVEPOINT retrysafe_transaction')
  const unmark = prepare('RELEASE retrysafe_transaction')

  // The record, expired or not.
  // Parameters: record key.
  const find = prepare(
    `SELECT token, fingerprint, state, attempt, after, in_doubt, lease_ends_at, expires_at, progress, result
     FROM main.retrysafe_records WHERE record_key = ?`,
  )

  // A new record, attempt 1, also in the place of an expired one. Changes nothing where another stands.
  // Parameters: record key, token, fingerprint, end of the lease, end of the record, now.
  const insert = prepare(
    `INSERT INTO main.retrysafe_records
       (record_key, token, fingerprint, state, attempt, after, lease_ends_at, expires_at)
     VALUES (?, ?, ?, 'in_flight', 1, 'nothing', ?, ?)
     ON CONFLICT (record_key) DO UPDATE SET
       token = excluded.token, fingerprint = excluded.fingerprint, state = 'in_flight', attempt = 1,
       after = 'nothing', in_doubt = 0, lease_ends_at = excluded.lease_ends_at,
       expires_at = excluded.expires_at, progress = NULL, result = NULL
     WHERE retrysafe_records.expires_at <= ?`,
  )

  // The next attempt on a record that failed or was abandoned; fingerprint and progress stay. The caller holds the
  // write lock and has decided on what stands.
  // Parameters: token, after what, end of the lease, end of the record, record key.
  const takeOver = prepare(
    `UPDATE main.retrysafe_records SET
       token = ?, state = 'in_flight', attempt = attempt + 1, after = ?, in_doubt = 0,
       lease_ends_at = ?, expires_at = ?
     WHERE record_key = ?`,
  )

  // The row that a holder may write: none where its lease is lost, or where the record had expired.
  // Parameters, after those of the write itself: record key, token, the instant that expiry is judged by.
  const held = `WHERE record_key = ? AND token = ? AND state = 'in_flight' AND expires_at > ?`

  // No progress leaves the progress as it is. The life of the record is never shortened.
  // Parameters: end of the lease twice, progress or NULL.
  const renew = prepare(
    `UPDATE main.retrysafe_records SET
       lease_ends_at = ?, expires_at = max(expires_at, ?), progress = coalesce(?, progress) ${held}`,
  )

  // Progress is of no more use.
  // Parameters: result, end of the record.
  const complete = prepare(
    `UPDATE main.retrysafe_records SET
       state = 'completed', result = ?, expires_at = ?, progress = NULL ${held}`,
  )

  // Fingerprint, attempt and progress stay.
  // Parameters: whether in doubt (0, 1), end of the record.
  const fail = prepare(
    `UPDATE main.retrysafe_records SET state = 'failed', in_doubt = ?, expires_at = ? ${held}`,
  )

  // No parameters of its own.
  const release = prepare(`DELETE FROM main.retrysafe_records ${held}`)

  // Expired rows, the longest expired first. Finds them in the index on expiry alone.
  // Parameters: now, how many at most.
  const purge = prepare(
    `DELETE FROM main.retrysafe_records WHERE rowid IN
       (SELECT rowid FROM main.retrysafe_records WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
  )

  // A record in flight lives as long as its lease and as the claim's retention, whichever is longer.
  const endOfClaim = ({ leaseMs, retentionMs }: Claim, now: number) =>
    instantAfter(now, Math.max(leaseMs, retentionMs))

  return {
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => void rollback.run(),
    mark: () => void mark.run(),
    unmark: () => void unmark.run(),

    find: (recordKey: string) => find.get(recordKey) as RecordRow | undefined,

    insert(claim: Claim, now: number): boolean {
      const { recordKey, token, fingerprint, leaseMs } = claim
      const leaseEndsAt = instantAfter(now, leaseMs)
      const endsAt = endOfClaim(claim, now)
      return insert.run(recordKey, token, fingerprint, leaseEndsAt, endsAt, now).changes === 1
    },

    takeOver(claim: Claim, after: 'failed' | 'abandoned', now: number): boolean {
      const { recordKey, token, leaseMs } = claim
      const leaseEndsAt = instantAfter(now, leaseMs)
      const endsAt = endOfClaim(claim, now)
      return takeOver.run(token, after, leaseEndsAt, endsAt, recordKey).changes === 1
    },

    renew({ recordKey, token }: Lease, terms: RenewTerms, now: number): boolean {
      const leaseEndsAt = instantAfter(now, terms.leaseMs)
      const progress = terms.progress ?? null
      return renew.run(leaseEndsAt, leaseEndsAt, progress, recordKey, token, now).changes === 1
    },

    complete(
      { recordKey, token }: Lease,
      { result, retentionMs }: CompleteTerms,
      now: number,
      judgedAt: number,
    ): boolean {
      const endsAt = instantAfter(now, retentionMs)
      return complete.run(result, endsAt, recordKey, token, judgedAt).changes === 1
    },

    fail(
      { recordKey, token }: Lease,
      { inDoubt, retentionMs }: FailTerms,
      now: number,
      judgedAt: number,
    ): boolean {
      const endsAt = instantAfter(now, retentionMs)
      return fail.run(inDoubt ? 1 : 0, endsAt, recordKey, token, judgedAt).changes === 1
    },

    release: ({ recordKey, token }: Lease, judgedAt: number) =>
      release.run(recordKey, token, judgedAt).changes === 1,

    purge: (limit: number, now: number) => purge.run(now, limit).changes,
  }
}
