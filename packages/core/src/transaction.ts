import { explain, IdempotencyError } from './errors.js'
import type { CompleteTerms, FailTerms, Lease } from './store.js'

/** The one write that ends an execution. */
export type Ending =
  | ({ readonly verb: 'complete' } & CompleteTerms)
  | ({ readonly verb: 'fail' } & FailTerms)
  | { readonly verb: 'release' }

/**
 * Why a transaction came to nothing: `stale` and `gone` as the store's writes answer them, `busy` where the
 * database could not be had in time and the work has not run, `failed` for whatever the work or the commit threw,
 * `unknown` where it was committed or was not, and nobody can tell: then nothing more is written.
 */
export type Rollback = 'stale' | 'gone' | 'busy' | 'failed' | 'unknown'

/**
 * The side of an execution that a store with `transaction()` works with. Order of the calls:
 * `begin()` inside the open transaction, the work, `ending()`, the write, COMMIT, `committed()`;
 * from any point `rolledBack()` instead.
 */
export interface TransactionSide {
  /** `undefined` where nothing is protected: then it is a plain transaction, and no ending is written. */
  readonly lease: Lease | undefined
  /**
   * From here on the answer is held. Throws `answer-missing` where an answer was given or begun before, and
   * `lease-lost` where the lease is known to be lost.
   */
  begin(): void
  /** What is to be written with the effects. Throws `answer-missing` where the work has given no answer. */
  ending(returned: unknown): Ending
  /** The same, for a store whose work is asynchronous: what wraps the result may be so too. */
  endingLater(returned: unknown): Promise<Ending>
  /** Both stand: the answer leaves and nothing more is written for this execution. Told what the work returned. */
  committed(returned: unknown): void
  /** Neither stands: the answer is dropped, and status and headers are as they were at `begin()`. */
  rolledBack(reason: Rollback): void
}

const side = Symbol.for('retrysafe.transaction')

/** For core: lends an execution its transaction side. */
export const withTransactionSide = <T extends object>(execution: T, value: TransactionSide): T =>
  Object.defineProperty(execution, side, { value })

/** For stores: the transaction side of what the user handed to `transaction()`. */
export const transactionSide = (execution: object): TransactionSide => {
  const value = (execution as { [side]?: TransactionSide } | undefined)?.[side]
  if (value) return value
  throw new IdempotencyError(
    'option-invalid',
    explain(
      'option-invalid',
      'transaction() to be handed the execution of the request (req.idempotency)',
      String(execution),
      'It carries the lease that the commit is checked against.',
    ),
  )
}
