export { idempotency, type KoaIdempotency, type KoaOptions } from './idempotency.js'
