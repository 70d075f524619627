import { isIdempotencyError, StoreError } from './errors.js'

/** A longer time-out fires at once: Node keeps it in 32 bits. */
const longestTimerMs = 2 ** 31 - 1

/** For stores too: a timer that keeps no process alive unless told so. Longer than 24 days, it fires after 24 days. */
export const timer = (
  afterMs: number,
  action: () => void,
  { keepAlive = false } = {},
): { stop(): void } => {
  const handle = setTimeout(action, Math.min(afterMs, longestTimerMs))
  if (!keepAlive) handle.unref?.()
  return { stop: () => clearTimeout(handle) }
}

/** Resolves later. Keeps the process alive, unless told that nothing waits for it. */
export const pause = (forMs: number, { keepAlive = true } = {}): Promise<void> =>
  new Promise((resolve) => {
    timer(forMs, resolve, { keepAlive })
  })

/**
 * Asks the store and waits no longer than `timeoutMs`. Whatever goes wrong is a `StoreError`. The call itself
 * cannot be taken back: what comes of it later is the caller's to care for.
 */
export const withDeadline = <T>(call: Promise<T>, timeoutMs: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const late = (): void =>
      reject(new StoreError('store-unavailable', `The store has not answered in ${timeoutMs} ms.`))
    const deadline = timer(timeoutMs, late, { keepAlive: true })
    call.then(
      (answer) => {
        deadline.stop()
        resolve(answer)
      },
      (cause: unknown) => {
        deadline.stop()
        reject(asStoreError(cause))
      },
    )
  })

/** For stores too: what it comes to, or `pending` where the time is over first. For what never rejects. */
export const settledWithin = <T>(ms: number, outcome: Promise<T>): Promise<T | 'pending'> =>
  new Promise((resolve) => {
    const late = timer(ms, () => resolve('pending'), { keepAlive: true })
    void outcome.then((value) => {
      late.stop()
      resolve(value)
    })
  })

/** Calls the store; one that throws instead of rejecting rejects all the same. */
export const asked = async <T>(call: () => Promise<T>): Promise<T> => call()

/** Whatever a store throws, as the one kind of error that the rest of core knows. */
export const asStoreError = (cause: unknown): StoreError => {
  const code =
    isIdempotencyError(cause) && cause.code === 'store-full' ? cause.code : 'store-unavailable'
  const unreadable = isIdempotencyError(cause) && 'unreadable' in cause && cause.unreadable === true
  const message = cause instanceof Error ? cause.message : String(cause)
  return new StoreError(code, message, { cause, unreadable })
}
