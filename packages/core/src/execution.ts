import { randomUUID } from 'node:crypto'
import { explain, IdempotencyError, StoreError } from './errors.js'
import { derivedKeyOf } from './record-key.js'
import type { Keep } from './response-policy.js'
import type { Lease } from './store.js'
import { type Ending, type Rollback, withTransactionSide } from './transaction.js'

/** What a handler has: its key, which attempt it is, and its say in what becomes of the answer. */
export interface Execution {
  /** Whether a record stands behind this request. Without one everything here works and decides nothing. */
  readonly protected: boolean
  /** The key that the client sent. */
  readonly key: string | undefined
  /** Whose it is. `undefined` without a key and in the space that all callers share. */
  readonly scope: string | undefined
  /** 1 for the first; more where an earlier attempt failed or never ended. */
  readonly attempt: number
  /** What this attempt comes after: `abandoned` and `failed` may have had effects. */
  readonly after: 'nothing' | 'failed' | 'abandoned'
  /** Aborts when the lease is lost or `maxRunMs` is over: another may run from now on. */
  readonly signal: AbortSignal
  /** A key to hand to a downstream API: the same in every attempt, another for every name. */
  derivedKey(name: string): string
  /** The answer that follows is kept and replayed, whatever its status. The last of these three calls counts. */
  complete(): void
  /** The request may run again after the answer that follows, with a higher attempt. It had no effect. */
  fail(): void
  /** The answer that follows leaves no trace, as if the key had never been seen. */
  release(): void
  /**
   * Says that effects have happened: from now on every answer is kept and replayed, errors too, also in the
   * attempt after a crash. Resolves when that is stored; a rejection that nobody awaits is harmless.
   */
  markEffects(): Promise<void>
}

/** Where the answer comes from and is held: a captured response, or a function's value. */
export interface AnswerSource {
  /** From here on nothing of the answer leaves. Throws `answer-missing` where some of it has been given. */
  hold(): void
  /** The result to be stored, of what was given since `hold()`; `undefined` where nothing was. */
  result(returned: unknown): Uint8Array | undefined
  /** The answer may leave: the one given since `hold()`, or the one that the work has returned. */
  letGo(returned: unknown): void
  /** Everything as at `hold()`: the answer has not been given. */
  restore(): void
}

/**
 * `open`: the lease is ours as far as is known; `ended`: the record is written; `stale`: another's; `gone`: lost
 * with its transaction, or not known to have been committed with it; `busy`: a transaction could not begin in time.
 */
export type Standing = 'open' | 'ended' | 'stale' | 'gone' | 'busy'

/** Core's side of an execution. */
export interface ExecutionControl {
  readonly execution: Execution
  readonly standing: () => Standing
  /** What the handler has said shall become of the record; `undefined` where it said nothing. */
  readonly said: () => Keep | undefined
  lend(source: AnswerSource): void
  /** Whether a transaction is about to write the ending, or has written it and not said so yet. */
  readonly isCommitting: () => boolean
  /** Another holds the key or time is over; the signal aborts. */
  lose(standing: 'stale' | 'gone' | 'open', error: IdempotencyError): void
  end(): void
}

export interface ExecutionTerms {
  readonly key: string
  readonly scope: string | undefined
  readonly lease: Lease
  readonly attempt: number
  readonly after: 'nothing' | 'failed' | 'abandoned'
  readonly effectsMarked: boolean
  readonly markEffects: () => Promise<void>
  /** The write that stands for a result, or for the handler's wish that there be none. */
  readonly endingOf: (keep: Keep, result: Uint8Array) => Ending
  readonly endingLaterOf: (keep: Keep, result: Uint8Array) => Promise<Ending>
  readonly onCommitted: (ending: Ending) => void
  readonly onRolledBack: (reason: Rollback) => void
}

export const createExecution = (terms: ExecutionTerms | undefined): ExecutionControl => {
  // Most handlers ask for neither, and every request pays for what is made here.
  let controller: AbortController | undefined
  let recordKey = terms?.lease.recordKey
  let standing: Standing = 'open'
  let explicit: Keep | undefined
  let effectsMarked = terms?.effectsMarked ?? false
  let source: AnswerSource | undefined

  const said = (): Keep | undefined => explicit ?? (effectsMarked ? 'complete' : undefined)
  const execution: Execution = {
    protected: terms !== undefined,
    key: terms?.key,
    scope: terms?.scope,
    attempt: terms?.attempt ?? 1,
    after: terms?.after ?? 'nothing',
    get signal() {
      controller ??= new AbortController()
      return controller.signal
    },
    derivedKey: (name) => {
      recordKey ??= randomUUID()
      return derivedKeyOf(recordKey, name)
    },
    complete: () => {
      explicit = 'complete'
    },
    fail: () => {
      explicit = 'fail'
    },
    release: () => {
      explicit = 'release'
    },
    markEffects: () => {
      effectsMarked = true
      const stored = terms?.markEffects() ?? Promise.resolve()
      stored.catch(() => {})
      return stored
    },
  }

  const control: ExecutionControl = {
    execution,
    standing: () => standing,
    said,
    isCommitting: () => isCommitting,
    lend: (given) => {
      source = given
    },
    lose: (next, error) => {
      if (standing === 'ended') return
      if (next !== 'open') standing = next
      controller ??= new AbortController()
      controller.abort(error)
    },
    end: () => {
      standing = 'ended'
    },
  }

  let pending: Ending | undefined
  let isCommitting = false
  const given = (returned: unknown): Uint8Array => {
    const result = source?.result(returned)
    if (result === undefined) throw answerMissing()
    return result
  }
  withTransactionSide(execution, {
    lease: terms?.lease,
    begin: () => {
      if (standing === 'stale') throw leaseLost()
      if (standing === 'gone') throw recordGone()
      if (standing === 'ended') throw answeredBefore()
      standing = 'open'
      source?.hold()
    },
    // The effects stand with the record, so the answer is kept whatever its status, unless the handler said otherwise.
    ending: (returned) => {
      if (terms === undefined) throw answerMissing()
      // Before the fate is read: to ask a framework for its answer may be what decides it.
      const result = given(returned)
      pending = terms.endingOf(explicit ?? 'complete', result)
      isCommitting = true
      return pending
    },
    endingLater: async (returned) => {
      if (terms === undefined) throw answerMissing()
      const result = given(returned)
      pending = await terms.endingLaterOf(explicit ?? 'complete', result)
      isCommitting = true
      return pending
    },
    committed: (returned) => {
      isCommitting = false
      if (terms !== undefined && pending !== undefined) {
        standing = 'ended'
        terms.onCommitted(pending)
      }
      source?.letGo(returned)
    },
    rolledBack: (reason) => {
      isCommitting = false
      // What was committed stands, whatever comes of a second transaction.
      if (standing === 'ended') return
      source?.restore()
      if (reason === 'stale') control.lose('stale', leaseLost())
      if (reason === 'gone') control.lose('gone', recordGone())
      if (reason === 'unknown') control.lose('gone', commitUnknown())
      if (reason === 'busy') standing = 'busy'
      terms?.onRolledBack(reason)
    },
  })
  return control
}

export const leaseLost = (): IdempotencyError =>
  new IdempotencyError(
    'lease-lost',
    explain(
      'lease-lost',
      'the lease of this key to be held',
      'the key of another holder',
      'The work took longer than the lease and was not renewed; another has run or runs, and this result is dropped.',
    ),
  )

export const runLimit = (maxRunMs: number): IdempotencyError =>
  new IdempotencyError(
    'lease-lost',
    explain(
      'lease-lost',
      `the handler to end within maxRunMs (${maxRunMs} ms)`,
      'a handler that is still running',
      'Its lease is renewed no more: when it is over, another may run.',
    ),
  )

export const recordGone = (): StoreError =>
  new StoreError(
    'store-unavailable',
    'The record of this key is gone from the store; nothing was committed.',
  )

const commitUnknown = (): StoreError =>
  new StoreError(
    'store-unavailable',
    'Whether the transaction was committed could not be found out; the lease is left to run out.',
  )

const answerMissing = (): IdempotencyError =>
  new IdempotencyError(
    'answer-missing',
    explain(
      'answer-missing',
      'the answer to have been given when the work returns',
      'none',
      'Effects without a stored answer would run again on a retry, so everything was rolled back.',
    ),
  )

export const answeredBefore = (): IdempotencyError =>
  new IdempotencyError(
    'answer-missing',
    explain(
      'answer-missing',
      'the answer to be given inside the work',
      'one that was begun before',
      'It cannot be committed together with the effects, so nothing was run.',
    ),
  )
