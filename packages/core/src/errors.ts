/** Where the page of each error stands; the code is its last part. */
export const errorPages = 'https://retrysafe.dev/errors/'

/** The problems that are answered on the wire, each with its status. */
export const problemStatus = {
  'key-missing': 400,
  'key-invalid': 400,
  'key-reused': 422,
  'request-in-flight': 409,
  'outcome-unknown': 409,
  'response-not-stored': 409,
  'body-too-large': 413,
  'body-consumed': 500,
  'scope-missing': 500,
  'store-unavailable': 503,
  'store-full': 503,
} as const

export type ProblemCode = keyof typeof problemStatus

/** What is thrown to the application, never answered by us. */
export type FaultCode =
  | 'option-invalid'
  | 'mounted-twice'
  | 'transaction-open'
  | 'transaction-broken'
  | 'answer-missing'
  | 'lease-lost'
  | 'closed'

export type ErrorCode = ProblemCode | FaultCode

const brand = Symbol.for('retrysafe.error')

/** Says who expected what, what it got, why that matters and where to read on. */
export const explain = (code: ErrorCode, expected: string, got: string, why: string): string =>
  `idempotency: expected ${expected}, got ${got}. ${why} ${errorPages}${code}`

/** Everything that the library throws. `code` is stable; the message is for people. */
export class IdempotencyError extends Error {
  readonly code: ErrorCode
  /** The HTTP status that fits, which Express, Koa and Hono read from a thrown error. */
  readonly status: number

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? {} : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.status = code in problemStatus ? problemStatus[code as ProblemCode] : 500
    Object.defineProperty(this, brand, { value: true })
  }
}

/** A wrong option, found when it is given. */
export class OptionError extends IdempotencyError {
  constructor(expected: string, got: string, why: string, page: ErrorCode = 'option-invalid') {
    super('option-invalid', explain(page, expected, got, why))
  }
}

/** The store has no room (`store-full`) or cannot be asked (`store-unavailable`). */
export class StoreError extends IdempotencyError {
  declare readonly code: 'store-full' | 'store-unavailable'
  /** Whether something stands there that cannot be read: then nothing runs, not even unprotected. */
  readonly unreadable: boolean
  /** Whether the store knows that it has asked nobody, there being no connection: then nothing has to be undone. */
  readonly unasked: boolean

  constructor(
    code: StoreError['code'],
    message: string,
    {
      unreadable = false,
      unasked = false,
      ...options
    }: { cause?: unknown; unreadable?: boolean; unasked?: boolean } = {},
  ) {
    super(code, message, options)
    this.unreadable = unreadable
    this.unasked = unasked
  }
}

/** Another caller holds the key. */
export class InFlightError extends IdempotencyError {
  /** When it is worth asking again. */
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs: number) {
    super('request-in-flight', message)
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * Whether an error is one of ours, whichever copy of the core it comes from: an application that mixes ESM and
 * CommonJS holds two.
 */
export const isIdempotencyError = (error: unknown): error is IdempotencyError =>
  typeof error === 'object' && error !== null && brand in error
