import { types } from 'node:util'
import { broken } from './transaction-errors.js'

/** Refuses a function that answers a promise, where the compiler can see it. */
export type Synchronous<T> = T extends PromiseLike<unknown> ? never : T

const later = ['AsyncFunction', 'GeneratorFunction', 'AsyncGeneratorFunction']

/**
 * Refuses what would go on after the commit, before it is called: an async function would run up to its first
 * `await`, be refused for its promise, and its later writes would commit by themselves.
 */
export const refuseAsynchronous = (work: unknown): void => {
  if (typeof work !== 'function') throw broken('the work to be a function', String(work))
  const kind = Object.prototype.toString.call(work).slice(8, -1)
  if (later.includes(kind))
    throw broken(
      'the work to be a synchronous function',
      `${kind.startsWith('A') ? 'an' : 'a'} ${kind}`,
    )
}

/** Refuses a promise that a plain function has answered. What it goes on to do cannot be taken back. */
export const refuseThenable = (returned: unknown): void => {
  const isThenable =
    returned !== null &&
    (typeof returned === 'object' || typeof returned === 'function') &&
    typeof (returned as { then?: unknown }).then === 'function'
  if (!isThenable) return
  // Only a promise that runs anyway: calling `then` on a query builder would start its query.
  if (types.isPromise(returned)) returned.catch(() => {})
  throw broken('the work to be done when it returns', 'a promise')
}
