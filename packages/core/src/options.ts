import type { Answer } from './answer.js'
import type { Codec } from './codec.js'
import type { Execution } from './execution.js'
import type { FingerprintOptions } from './fingerprint-settings.js'
import type { KeySyntax } from './idempotency-key.js'
import type { Problem } from './problem.js'
import type { HttpResponse } from './response.js'
import type { Keep, KeepCandidate, KeepPolicy } from './response-policy.js'
import type { IdempotencyStore } from './store.js'

type Awaitable<T> = T | Promise<T>

/** What holds for requests and functions alike. Durations are whole milliseconds, at least 1. */
export interface CommonOptions {
  /** Where records are kept. */
  readonly store: IdempotencyStore
  /** Tells applications that share a store apart. @default '' */
  readonly namespace?: string
  /** How long a claim lasts without a sign of life from its holder; renewed every third of it. @default 60_000 */
  readonly leaseMs?: number
  /** How long a handler is protected at most, from its start. @default 900_000 (15 min) */
  readonly maxRunMs?: number
  /** How long a completed or failed record lives. @default 86_400_000 (24 h) */
  readonly retentionMs?: number
  /** How long a key whose outcome is unknown is kept for somebody to find out, unless `onDoubt` is `'run-again'`. @default 2_592_000_000 (30 days) */
  readonly doubtRetentionMs?: number
  /** How long one call of the store may take, and how long an answer waits for its record. @default 2_000 */
  readonly storeTimeoutMs?: number
  /** What a duplicate of a running request is told. */
  readonly onInFlight?: {
    /** When to ask again. @default 1_000 */
    readonly retryAfterMs?: number
    /** How long it waits for the first, to get its answer. It never runs the handler. Left out: not at all. */
    readonly waitMs?: number
    /** How many wait at a time; those beyond are told at once. @default 1_000 */
    readonly maxWaiters?: number
  }
  /** When the store cannot be asked: refuse, or run the handler without protection. @default 'refuse' */
  readonly onStoreDown?: 'refuse' | 'run-unprotected'
  /** What wraps results in the store, innermost first: `compressed()`, `encrypted()`. @default none */
  readonly codec?: Codec | readonly Codec[]
  /** The longest result or body that is kept, in bytes; a longer one is not replayed, but still runs once. @default 1_048_576 */
  readonly maxStoredBody?: number
  /** The longest key, in characters. @default 255 */
  readonly maxKeyLength?: number
  /** How long `close()` waits for what is running. @default 10_000 */
  readonly graceMs?: number
}

/**
 * What happens to a key whose earlier attempt may have had effects: its lease ran out, or it threw or answered 5xx
 * without having said `fail()` or `release()`. `run-again`: a new attempt. `reject`: 409 `outcome-unknown`, until
 * somebody resolves it. A function finds out, while nobody else can, by the derived key that the attempt before has
 * used: it gives what has been done, or says that the work is to run. What it throws goes to the caller, and the
 * next one asks again.
 */
export type OnDoubt<Request, Result> =
  | 'run-again'
  | 'reject'
  | ((execution: Execution, request: Request) => Awaitable<Result | 'run-again'>)

/** Which work it is. */
export interface Operation {
  /** The idempotency key: a message's id, a webhook's event id. */
  readonly key: string
  /** Whose key it is: the queue, the tenant. Not empty. */
  readonly scope: string
  /** What the same key must come with again; compared by its meaning, or left out each time. */
  readonly payload?: unknown
}

/** The value of a work, as the record has it. */
export interface KeptValue {
  readonly value: unknown
}

/** What holds for functions. */
export interface RunOptions extends CommonOptions {
  /** What happens to a key whose earlier attempt may have had effects; a function gives the value that it had. @default 'run-again' */
  readonly onDoubt?: OnDoubt<Operation, KeptValue>
}

/** What holds for requests. `Native` is the framework's request, which the callbacks get. */
export interface IdempotencyOptions<Native> extends CommonOptions {
  /**
   * Whose key it is: a tenant, or a tenant and user. `'global'` says on purpose that all callers share one space.
   * Asked only where there is a key. An empty answer or a throw is 500 `scope-missing`; the handler does not run.
   */
  readonly scope: 'global' | ((request: Native) => Awaitable<string | undefined>)
  /** The field that carries the key. @default 'Idempotency-Key' */
  readonly header?: string
  /** Takes the key from elsewhere (a field of the body, a webhook's id); `undefined` is no key. */
  readonly key?: (request: Native) => Awaitable<string | undefined>
  /** How the field is read. `opaque` takes its value as it stands. @default 'both' */
  readonly keySyntax?: KeySyntax
  /** Narrows the keys that are taken. */
  readonly keyFormat?: 'uuid' | RegExp | ((key: string) => boolean)
  /** `route`: the same key on another method or path is another request; else it is a mismatch. @default 'caller' */
  readonly keyScope?: 'caller' | 'route'
  /** Whether a request without a key is refused with 400 `key-missing`. @default false */
  readonly required?: boolean
  /** The methods it applies to; never GET, HEAD, OPTIONS, TRACE. @default ['POST', 'PATCH'] */
  readonly methods?: readonly string[]
  /** Lets a request pass as if the layer were not there. */
  readonly skip?: (request: Native) => Awaitable<boolean>
  /** What makes two requests the same one. `false`: the key alone. A function: what it answers. */
  readonly fingerprint?:
    | false
    | ((request: Native) => Awaitable<string | Uint8Array>)
    | FingerprintOptions
  /** The longest body that is buffered for the comparison, in bytes; above it 413 `body-too-large`. @default 1_048_576 */
  readonly maxRequestBody?: number
  /** What happens to a key whose earlier attempt may have had effects; a function answers with an `answer()`. @default 'run-again' */
  readonly onDoubt?: OnDoubt<Native, Answer>
  /** Which answers are kept and replayed, which run again, which leave no record. @default 'default' */
  readonly keep?: KeepPolicy | ((response: KeepCandidate) => Keep)
  /** The only header fields that are replayed. Left out: all but those of a connection, a moment or a caller. */
  readonly replayHeaders?: readonly string[]
  /**
   * Makes a replay afresh, from the stored answer: an `answer()` in its place, or nothing for the stored one. What
   * it throws goes to the framework's error handling.
   */
  readonly onReplay?: (replay: HttpResponse, request: Native) => Awaitable<Answer | undefined>
  /** The field that marks a replay. @default 'Idempotent-Replayed' */
  readonly replayedHeader?: string
  /** The status of a mismatch (422) and of a duplicate in flight (409). */
  readonly status?: { readonly mismatch?: number; readonly inFlight?: number }
  /** Replaces the body of our own answers. */
  readonly problem?: (problem: Problem) => unknown
  /** What the `type` of our own answers starts with, absolute. */
  readonly problemBase?: string
  /** The API's documentation, for a Link header on our own answers. */
  readonly docsUrl?: string
}
