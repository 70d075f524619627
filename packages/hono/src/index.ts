export {
  type HonoIdempotency,
  type HonoOptions,
  type IdempotencyVariables,
  idempotency,
} from './idempotency.js'
