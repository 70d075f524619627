import type {
  Acquisition,
  Claim,
  CompleteTerms,
  FailTerms,
  Lease,
  RenewTerms,
  WriteResult,
} from '@retrysafe/core'
import { decideClaim, decideMissedWrite } from './decision.js'
import { progressOf, type RecordRow } from './record-row.js'
import type { Statements } from './statements.js'

/** The five verbs as they are inside a write transaction. */
export interface Verbs {
  acquire(claim: Claim): Acquisition
  renew(lease: Lease, terms: RenewTerms): WriteResult
  complete(lease: Lease, terms: CompleteTerms): WriteResult
  fail(lease: Lease, terms: FailTerms): WriteResult
  release(lease: Lease): WriteResult
}

export const createVerbs = (statements: Statements, now: () => number): Verbs => {
  const missed = (lease: Lease, at: number, sameAsBefore: (row: RecordRow) => boolean) =>
    decideMissedWrite(statements.find(lease.recordKey), lease, at, sameAsBefore)

  return {
    acquire(claim) {
      const at = now()
      if (statements.insert(claim, at)) return { kind: 'acquired', attempt: 1, after: 'nothing' }
      const decision = decideClaim(statements.find(claim.recordKey), claim, at)
      switch (decision.kind) {
        case 'answer':
          return decision.acquisition
        case 'take-over': {
          const { row, after } = decision
          statements.takeOver(claim, after, at)
          return { kind: 'acquired', attempt: row.attempt + 1, after, ...progressOf(row) }
        }
        case 'insert':
          // The insert has just found a record in its way, and nobody else writes now.
          throw new Error('the record can neither be inserted nor read')
      }
    },

    renew(lease, terms) {
      const at = now()
      return statements.renew(lease, terms, at) ? 'ok' : missed(lease, at, () => false)
    },

    complete(lease, terms) {
      const at = now()
      if (statements.complete(lease, terms, at, at)) return 'ok'
      return missed(
        lease,
        at,
        ({ state, result }) =>
          state === 'completed' && result !== null && Buffer.compare(result, terms.result) === 0,
      )
    },

    fail(lease, terms) {
      const at = now()
      if (statements.fail(lease, terms, at, at)) return 'ok'
      return missed(
        lease,
        at,
        ({ state, in_doubt }) => state === 'failed' && (in_doubt === 1) === terms.inDoubt,
      )
    },

    release(lease) {
      const at = now()
      return statements.release(lease, at) ? 'ok' : missed(lease, at, () => false)
    },
  }
}
