export { type ExpressIdempotency, type ExpressOptions, idempotency } from './idempotency.js'
