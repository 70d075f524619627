import { explain, IdempotencyError, StoreError } from '@retrysafe/core'

/** The record says that the lease is not ours any more; nothing stands of the work, if it has run. */
export const leaseGone = (lost: 'gone' | 'stale'): IdempotencyError =>
  lost === 'gone'
    ? new StoreError(
        'store-unavailable',
        explain(
          'store-unavailable',
          'the execution to have its record',
          'none',
          'Without it the work is not protected; everything was rolled back.',
        ),
      )
    : new IdempotencyError(
        'lease-lost',
        explain(
          'lease-lost',
          'the execution to hold its lease',
          'a record that somebody else has taken over, or that has ended',
          'Everything was rolled back; what the other run has done stands.',
        ),
      )

/** The transaction at the end of the work is not the one that was begun. What the work committed stands. */
export const endedByWork = (): IdempotencyError =>
  new IdempotencyError(
    'transaction-broken',
    explain(
      'transaction-broken',
      'the transaction to be open',
      'one that the work has ended',
      'Effects and record were to be committed together; the record was not completed.',
    ),
  )

/** COMMIT was sent, its answer is lost, and the row could not be had to see what has become of it. */
export const commitUnknown = (words: string): StoreError =>
  new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      'the answer to COMMIT',
      words,
      'It may have been committed. Nothing more is written; a retry finds what stands.',
    ),
  )
