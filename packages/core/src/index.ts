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
export type { Events, IdempotencyEvents, KeyDetail } from './events.js'
export type { Execution } from './execution.js'
export {
  type GivenAnswer,
  type HeldAnswer,
  type HttpExecution,
  unprotectedExecution,
} from './http-execution.js'
export {
  type Begun,
  createHttpIdempotency,
  type HttpIdempotency,
  type Operations,
} from './http-idempotency.js'
export type { KeySyntax } from './idempotency-key.js'
export type { CommonOptions, IdempotencyOptions } from './options.js'
export type { Problem } from './problem.js'
export type { IncomingRequest, RequestBody } from './request.js'
export type { HeaderPairs, HttpResponse } from './response.js'
export type { Keep, KeepCandidate, KeepPolicy } from './response-policy.js'
export { createIdempotency, type Idempotency, type Operation } from './run.js'
export type * from './store.js'
export { type Ending, type Rollback, type TransactionSide, transactionSide } from './transaction.js'
