import { explain, IdempotencyError, InFlightError } from './errors.js'
import { createEmitter } from './events.js'
import { createExecution, type Execution, recordGone } from './execution.js'
import { fingerprintOf } from './fingerprint.js'
import { fingerprintSettings } from './fingerprint-settings.js'
import type { ActiveExecution } from './holding.js'
import { createEngine } from './idempotency.js'
import { createOperations, type Operations, wrongWord } from './operations.js'
import type { KeptValue, Operation, RunOptions } from './options.js'
import { decodeResult, encodeResult, type StoredResult } from './record.js'
import { recordKeyOf } from './record-key.js'
import { resolveRun } from './settings.js'

export interface Idempotency extends Operations<KeptValue, KeptValue> {
  /**
   * Runs the work once for a key, and answers its value, now or from the record: the same value both times, as
   * JSON keeps it. What the work throws is thrown on, and the key may run again.
   *
   * @throws InFlightError `request-in-flight`: the work is running; `retryAfterMs` says when to ask again.
   * @throws IdempotencyError `key-reused`: the key came with another payload. `outcome-unknown`: an earlier
   * attempt may have had effects (`onDoubt: 'reject'`). `response-not-stored`: it has run, but its value was too
   * large or no JSON. `key-invalid`, `scope-missing`: the operation itself is wrong.
   * @throws StoreError `store-unavailable`, `store-full`: the work has not run.
   */
  run<T>(operation: Operation, work: (execution: Execution) => T | Promise<T>): Promise<T>
}

/**
 * Idempotency for anything that is not an HTTP request. Throws `OptionError`.
 *
 * @example
 * const { run } = createIdempotency({ store })
 * await run({ key: message.id, scope: 'shipping', payload: message.body }, ({ derivedKey }) =>
 *   carrier.book(message.body, { idempotencyKey: derivedKey('booking') }),
 * )
 */
export const createIdempotency = (options: RunOptions): Idempotency => {
  const settings = resolveRun(options)
  const emitter = createEmitter()
  const engine = createEngine(settings, emitter)

  const run = async <T>(
    operation: Operation,
    work: (execution: Execution) => T | Promise<T>,
  ): Promise<T> => {
    const { key, scope, payload } = operation
    if (typeof key !== 'string' || key.length === 0 || key.length > settings.maxKeyLength) {
      throw wrong('key-invalid', `"key" to be a string of 1 to ${settings.maxKeyLength} characters`)
    }
    if (typeof scope !== 'string' || scope === '') {
      throw wrong('scope-missing', '"scope" to be a string that is not empty')
    }
    const claimed = await engine.claim({
      recordKey: keyOf(scope, key),
      key,
      scope,
      fingerprint: payloadFingerprint(payload),
      notStored: () => notStored,
    })
    switch (claimed.kind) {
      case 'execute':
        return execute<T>(claimed.active, work, claimed.inDoubt ? operation : undefined)
      case 'replay':
        return toldBy<T>(claimed.result)
      case 'mismatch':
        throw refusal('key-reused', 'the payload that the key came with first', 'another')
      case 'in-flight':
        throw inFlight(claimed.retryAfterMs)
      case 'doubt':
        throw refusal('outcome-unknown', 'to know how the earlier attempt ended', 'no record of it')
      case 'refused':
        if (claimed.reason === 'down' && settings.onStoreDown === 'run-unprotected') {
          emitter.emit('unprotected', () => ({ ...claimed.detail, error: claimed.error }))
          return work(createExecution(undefined).execution)
        }
        throw claimed.error
    }
  }

  /** @param doubtful The operation, where the application is asked first what an earlier attempt has done. */
  const execute = async <T>(
    active: ActiveExecution,
    work: (execution: Execution) => T | Promise<T>,
    doubtful: Operation | undefined,
  ): Promise<T> => {
    let committed: Uint8Array | undefined
    active.lend({
      hold: () => {},
      result: (returned) => {
        committed = encodeResult({ kind: 'value', value: returned })
        return bounded(committed)
      },
      letGo: () => {},
      restore: () => {
        committed = undefined
      },
    })
    let value: T
    let isFindingOut = doubtful !== undefined
    try {
      const found = doubtful ? await reconciled(active, doubtful) : 'run-again'
      isFindingOut = false
      value = found === 'run-again' ? await work(active.execution) : (found.value as T)
    } catch (error) {
      if (active.standing() === 'open' || active.standing() === 'busy') {
        // What has not been found out stays in doubt, also where effects were marked.
        await active.finish(isFindingOut ? 'fail' : (active.said() ?? 'fail'), notStored, true)
      }
      if (isFindingOut && active.standing() === 'stale') return standing<T>(active)
      throw error
    }
    if (active.standing() === 'ended' && committed) return toldBy<T>(decodeResult(committed))
    if (active.standing() === 'gone') throw recordGone()
    if (active.standing() === 'stale') return standing<T>(active)

    let encoded: Uint8Array
    try {
      encoded = encodeResult({ kind: 'value', value })
    } catch (cause) {
      await active.finish(active.said() ?? 'complete', notStored, false)
      throw new IdempotencyError('response-not-stored', notStoredMessage, { cause })
    }
    const outcome = await active.finish(active.said() ?? 'complete', bounded(encoded), false)
    if (outcome === 'stale') return standing<T>(active)
    return toldBy<T>(decodeResult(encoded))
  }

  /** A value too large to keep is told to the first caller, and the record knows only that it has happened. */
  const bounded = (encoded: Uint8Array): Uint8Array =>
    encoded.length > settings.maxStoredBody ? notStored : encoded

  const standing = async <T>(active: ActiveExecution): Promise<T> => {
    const result = await active.whatStands()
    if (result === undefined) throw inFlight(settings.onInFlight.retryAfterMs ?? 1_000)
    return toldBy<T>(result)
  }

  const keyOf = (scope: string, key: string): string =>
    recordKeyOf({
      namespace: settings.namespace,
      kind: 'run',
      scope: { kind: 'of', name: scope },
      key,
    })

  /** What the application finds out about an earlier attempt. */
  const reconciled = async (
    { execution }: ActiveExecution,
    operation: Operation,
  ): Promise<KeptValue | 'run-again'> => {
    const { onDoubt } = settings
    if (typeof onDoubt !== 'function') return 'run-again'
    const given = await onDoubt(execution, operation)
    if (given === 'run-again') {
      execution.signal.throwIfAborted()
      return given
    }
    const found = keptValue('onDoubt', given)
    execution.complete()
    return found
  }

  const operations = createOperations<KeptValue, KeptValue>({
    engine,
    emitter,
    recordKeyOf: ({ scope, key }) => {
      if (typeof key === 'string' && typeof scope === 'string' && scope !== '')
        return keyOf(scope, key)
      throw wrongWord('scope and key', 'Both are parts of what the record is kept under.')
    },
    kept: (result) => (result.kind === 'value' ? { value: result.value } : undefined),
    encode: (given) =>
      bounded(encodeResult({ kind: 'value', value: keptValue('resolve()', given).value })),
  })
  return { ...operations, run }
}

const keptValue = (where: string, given: unknown): KeptValue => {
  if (typeof given === 'object' && given !== null && 'value' in given) return given as KeptValue
  throw wrongWord(
    `${where} to give { value } or 'run-again'`,
    'It is what the next caller gets for the value of the work.',
  )
}

const notStored = encodeResult({ kind: 'value-not-stored' })
const notStoredMessage = explain(
  'response-not-stored',
  'a value that can be kept',
  'one that is too large or no JSON',
  'The work has run; its value cannot be given again.',
)
const payloadSettings = fingerprintSettings({})

const payloadFingerprint = (payload: unknown): string => {
  const made = fingerprintOf(
    {
      method: '',
      target: '',
      mediaType: 'application/json',
      fieldLines: () => [],
      body: payload === undefined ? { kind: 'empty' } : { kind: 'parsed', value: payload },
    },
    payloadSettings,
  )
  if (made.kind === 'fingerprint') return made.fingerprint
  throw made.kind === 'too-large'
    ? wrong('body-too-large', '"payload" to be at most 1 MiB of JSON, 256 levels deep')
    : wrong('option-invalid', '"payload" to be a value that JSON can tell')
}

const toldBy = <T>(result: StoredResult): T => {
  if (result.kind === 'value') return result.value as T
  throw new IdempotencyError('response-not-stored', notStoredMessage)
}

const wrong = (
  code: 'key-invalid' | 'scope-missing' | 'body-too-large' | 'option-invalid',
  expected: string,
): IdempotencyError =>
  new IdempotencyError(
    code,
    explain(
      code,
      expected,
      'something else',
      'Without it the work cannot be told from other work.',
    ),
  )

const refusal = (
  code: 'key-reused' | 'outcome-unknown',
  expected: string,
  got: string,
): IdempotencyError =>
  new IdempotencyError(
    code,
    explain(code, expected, got, 'The work has not been run for this call.'),
  )

const inFlight = (retryAfterMs: number): InFlightError =>
  new InFlightError(
    explain(
      'request-in-flight',
      'the key to be free',
      'one whose work is running',
      'Ask again later, and its value will be there.',
    ),
    retryAfterMs,
  )
