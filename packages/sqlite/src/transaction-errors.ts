import { explain, IdempotencyError, StoreError } from '@retrysafe/core'

/** The work has done what no transaction of ours can stand. */
export const broken = (expected: string, got: string, cause?: unknown): IdempotencyError =>
  new IdempotencyError(
    'transaction-broken',
    explain(
      'transaction-broken',
      expected,
      got,
      'On SQLite everything happens between BEGIN and COMMIT, in one go; the record was not completed.',
    ),
    { cause },
  )

/** The transaction at the end of the work is not the one that was begun. What the work committed stands. */
export const endedByWork = (cause?: unknown): IdempotencyError =>
  broken('the transaction to be open', 'a transaction that the work has ended', cause)

/** The application is in a transaction of its own. */
export const transactionOpen = (): IdempotencyError =>
  new IdempotencyError(
    'transaction-open',
    explain(
      'transaction-open',
      'no open transaction on the database',
      'one that the application has begun',
      'Its rollback would take the record along. Nothing has run; let transaction() begin it.',
    ),
  )

/** The record says that the lease is not ours any more; the work has not run. */
export const leaseGone = (lost: 'gone' | 'stale', file: string): IdempotencyError =>
  lost === 'gone'
    ? new StoreError(
        'store-unavailable',
        explain(
          'store-unavailable',
          'the execution to have its record',
          `none in ${file}`,
          'Without it the work is not protected, and has not run.',
        ),
      )
    : new IdempotencyError(
        'lease-lost',
        explain(
          'lease-lost',
          'the execution to hold its lease',
          'a record that somebody else has taken over, or that has ended',
          'The work has not run; what the other run has done stands.',
        ),
      )
