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

  const once = <Made>(callback: object, make: () => Made): Made => {
    const before = made.get(callback)
    if (before !== undefined) return before as Made
    const callbackOnNative = make()
    made.set(callback, callbackOnNative)
    return callbackOnNative
  }
  const translated = <Given>(
    callback: (request: SuiteRequest) => Given,
  ): ((native: Native) => Given) => once(callback, () => (native) => callback(view(native)))
  /** Of a callback that gets something else first. */
  const translatedSecond = <First, Given>(
    callback: (first: First, request: SuiteRequest) => Given,
  ): ((first: First, native: Native) => Given) =>
    once(callback, () => (first, native) => callback(first, view(native)))

  return ({ scope, key, skip, fingerprint, onDoubt, onReplay, ...shared }) => ({
    ...shared,
    scope: typeof scope === 'function' ? translated(scope) : scope,
    ...(key && { key: translated(key) }),
    ...(skip && { skip: translated(skip) }),
    ...(onReplay && { onReplay: translatedSecond(onReplay) }),
    ...(onDoubt && {
      onDoubt: typeof onDoubt === 'function' ? translatedSecond(onDoubt) : onDoubt,
    }),
    ...(fingerprint !== undefined && {
      fingerprint: typeof fingerprint === 'function' ? translated(fingerprint) : fingerprint,
    }),
  })
}
