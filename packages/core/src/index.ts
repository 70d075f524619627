export { type Answer, answer, answerOf } from './answer.js'
export { type Changes, changes } from './changes.js'
export type { Codec, CodecRecord } from './codec.js'
export { type CompressionOptions, compressed } from './compressed.js'
export { settledWithin, timer } from './deadline.js'
export { type EncryptionOptions, encrypted } from './encrypted.js'
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
export type { FingerprintOptions } from './fingerprint-settings.js'
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
} from './http-idempotency.js'
export type { KeySyntax } from './idempotency-key.js'
export { type KeptRecord, plainBytes, recordOf, unreadableRecord } from './kept-record.js'
export { type Notices, notices } from './notices.js'
export type { Inspection, KeyOf, Operations } from './operations.js'
export type {
  CommonOptions,
  IdempotencyOptions,
  KeptValue,
  OnDoubt,
  Operation,
  RunOptions,
} from './options.js'
export type { Problem } from './problem.js'
export { purgeInSteps, startPurging } from './purging.js'
export type { IncomingRequest, RequestBody } from './request.js'
export type { Resolution } from './resolving.js'
export type { HeaderPairs, HttpResponse } from './response.js'
export type { Keep, KeepCandidate, KeepPolicy } from './response-policy.js'
export { createIdempotency, type Idempotency } from './run.js'
export type * from './store.js'
export { reservedBytes } from './store.js'
export { type Ending, type Rollback, type TransactionSide, transactionSide } from './transaction.js'
