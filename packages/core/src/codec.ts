import { timer } from './deadline.js'
import { StoreError } from './errors.js'
import { decodeResult, holdsNothing, type StoredResult, unreadable } from './record.js'

/** What wraps what is stored: encrypts it, compresses it. `encrypted()` and `compressed()` are two. */
export interface Codec {
  /** Whether both functions answer at once. Beside a synchronous transaction (SQLite) they must. */
  readonly synchronous: boolean
  /** Whether records written before there was a codec are still read. Where it authenticates, they should not be. */
  readonly readsPlain: boolean
  /**
   * Never shortens what it cannot restore. A throw costs the answer, not the record: it counts as not stored. Inside a
   * transaction it rolls everything back.
   */
  encode(bytes: Uint8Array, record: CodecRecord): Uint8Array | Promise<Uint8Array>
  /**
   * A throw is a record that cannot be read: 503 `store-unavailable`, and nothing runs. So is no answer within
   * `storeTimeoutMs`.
   */
  decode(bytes: Uint8Array, record: CodecRecord): Uint8Array | Promise<Uint8Array>
}

/** What the bytes belong to; a codec that authenticates binds them to it. */
export interface CodecRecord {
  readonly recordKey: string
}

type Awaitable<T> = T | Promise<T>

/** Results as they are in the store. */
export interface WrappedResults {
  /** Rejects where a codec fails or takes longer than `withinMs`. @param withinMs @default `timeoutMs` */
  wrap(result: Uint8Array, recordKey: string, withinMs?: number): Promise<Uint8Array>
  /** The same at once, for the inside of a transaction. */
  wrapNow(result: Uint8Array, recordKey: string): Uint8Array
  /** Rejects with a `StoreError` that is `unreadable`, and with nothing else. */
  unwrap(stored: Uint8Array, recordKey: string): Promise<StoredResult>
}

/** The first byte of what a codec wrapped, where an unwrapped result has its version. */
const wrappedVersion = 2

/**
 * @param codecs The first is the innermost.
 * @param timeoutMs How long one may take that does not answer at once.
 */
export const wrappedResults = (codecs: readonly Codec[], timeoutMs: number): WrappedResults => {
  const outermostFirst = [...codecs].reverse()

  const wrapped = (result: Uint8Array, recordKey: string): Awaitable<Uint8Array> => {
    if (codecs.length === 0) return result
    let bytes: Awaitable<Uint8Array> = result
    for (const codec of codecs) bytes = then(bytes, (inner) => codec.encode(inner, { recordKey }))
    return then(bytes, (inner) => Buffer.concat([Uint8Array.of(wrappedVersion), inner]))
  }

  const unwrapped = async (stored: Uint8Array, recordKey: string): Promise<StoredResult> => {
    if (stored[0] !== wrappedVersion) {
      const result = decodeResult(stored)
      if (holdsNothing(result) || codecs.every(({ readsPlain }) => readsPlain)) return result
      throw unreadable('it was written without the codec')
    }
    if (codecs.length === 0) throw unreadable('it was written with a codec')
    let bytes = stored.subarray(1)
    try {
      for (const codec of outermostFirst) {
        const decoded = codec.decode(bytes, { recordKey })
        bytes = await inTime(decoded, timeoutMs, { keepAlive: true })
      }
    } catch (cause) {
      throw unreadable('its codec refuses it', cause)
    }
    return decodeResult(bytes)
  }

  return {
    wrap: async (result, recordKey, withinMs = timeoutMs) =>
      inTime(wrapped(result, recordKey), withinMs),
    wrapNow: (result, recordKey) => {
      const now = wrapped(result, recordKey)
      if (!(now instanceof Promise)) return now
      now.catch(() => {})
      throw new TypeError('A codec that is "synchronous" has answered a promise.')
    },
    unwrap: (stored, recordKey) =>
      unwrapped(stored, recordKey).catch((cause: unknown) => {
        // Something stands there: it must not be taken for a store that is out of reach.
        throw isUnreadable(cause) ? cause : unreadable('it is none', cause)
      }),
  }
}

const isUnreadable = (error: unknown): boolean => error instanceof StoreError && error.unreadable

/** At once where the value is there at once. */
const then = <T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> =>
  value instanceof Promise ? value.then(next) : next(value)

const inTime = <T>(
  value: Awaitable<T>,
  withinMs: number,
  options?: { readonly keepAlive: boolean },
): Awaitable<T> => {
  if (!(value instanceof Promise)) return value
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`The codec has not answered in ${withinMs} ms.`))
    const deadline = timer(withinMs, late, options)
    value.then(resolve, reject).finally(() => deadline.stop())
  })
}
