export {
  type ErrorCode,
  errorPages,
  explain,
  IdempotencyError,
  InFlightError,
  isIdempotencyError,
  OptionError,
  type ProblemCode,
  problemStatus,
  StoreError,
} from './errors.js'
export type * from './store.js'
export { type Ending, type Rollback, type TransactionSide, transactionSide } from './transaction.js'
