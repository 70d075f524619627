import type { IdempotencyOptions } from '@retrysafe/core'
import type { SuiteOptions, SuiteRequest } from './harness.js'

/**
 * The options of a layer in a framework's words: callbacks get the suite's view of the native request. The same
 * callback becomes the same function each time, since layers compare them by identity. Make one per harness.
 */
export const nativeOptions = <Native>(
  view: (native: Native) => SuiteRequest,
): ((options: SuiteOptions) => IdempotencyOptions<Native>) => {
  const made = new WeakMap<object, unknown>()

  const translated = <Answer>(
    callback: (request: SuiteRequest) => Answer,
  ): ((native: Native) => Answer) => {
    const before = made.get(callback)
    if (before !== undefined) return before as (native: Native) => Answer
    const callbackOnNative = (native: Native): Answer => callback(view(native))
    made.set(callback, callbackOnNative)
    return callbackOnNative
  }

  return ({ scope, key, skip, fingerprint, ...shared }) => ({
    ...shared,
    scope: typeof scope === 'function' ? translated(scope) : scope,
    ...(key && { key: translated(key) }),
    ...(skip && { skip: translated(skip) }),
    ...(fingerprint !== undefined && {
      fingerprint: typeof fingerprint === 'function' ? translated(fingerprint) : fingerprint,
    }),
  })
}
