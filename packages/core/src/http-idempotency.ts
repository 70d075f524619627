import { type Answer, answerOf } from './answer.js'
import { explain, IdempotencyError, type ProblemCode } from './errors.js'
import { createEmitter } from './events.js'
import type { ActiveExecution } from './holding.js'
import {
  type HttpExecution,
  protectedExecution,
  resultOf,
  unprotectedExecution,
  withoutBody,
} from './http-execution.js'
import { createEngine } from './idempotency.js'
import { mountOf, rememberMount } from './mount.js'
import { createOperations, type Operations, wrongWord } from './operations.js'
import type { IdempotencyOptions } from './options.js'
import { problemResponse, problemSettings } from './problem.js'
import { replayOf } from './reply.js'
import { type IncomingRequest, pathOf } from './request.js'
import { requestFingerprint } from './request-fingerprint.js'
import { invalidKey, requestKeys } from './request-key.js'
import type { HttpResponse } from './response.js'
import { differingOption, resolveHttp } from './settings.js'

/** What is to be done with a request. The execution is there in every case. */
export type Begun =
  /** Nothing stands behind this request: on it goes. */
  | { readonly kind: 'bypass'; readonly http: HttpExecution }
  /** The answer is finished: a replay or a problem. The handler does not run. */
  | { readonly kind: 'reply'; readonly http: HttpExecution; readonly reply: HttpResponse }
  /** The handler runs, and its answer is captured. */
  | { readonly kind: 'execute'; readonly http: HttpExecution }

export interface HttpIdempotency<Native> extends Operations {
  /**
   * Decides over a request. Rejects with `mounted-twice` where another mount with other options has it, and
   * with whatever a callback of the user throws; then the handler must not run.
   */
  begin(request: IncomingRequest<Native>): Promise<Begun>
}

/**
 * The layer for requests, without a framework: a binding is made of it in a page. Throws `OptionError`.
 *
 * @example
 * const layer = createHttpIdempotency<IncomingMessage>({ store, scope: 'global' })
 * const begun = await layer.begin(nodeRequest(req))
 */
export const createHttpIdempotency = <Native>(
  options: IdempotencyOptions<Native>,
): HttpIdempotency<Native> => {
  const settings = resolveHttp(options)
  const { replayedHeader } = settings
  const problems = problemSettings(settings)
  const { keyOf, scopeOf, recordKey, recordKeyOfNamed } = requestKeys(settings)
  const fingerprint = requestFingerprint(settings)
  const emitter = createEmitter()
  const engine = createEngine(settings, emitter)

  const begin = async (request: IncomingRequest<Native>): Promise<Begun> => {
    const mount = mountOf(request.carrier)
    if (mount !== undefined) {
      const option = differingOption(mount.settings, settings)
      if (option === undefined) return { kind: 'bypass', http: mount.http }
      // Nothing has run, and what the framework answers to the error leaves no record.
      await mount.http.giveBack()
      throw mountedTwice(option)
    }
    if (!settings.methods.includes(request.method)) return bypass()
    if (await settings.skip?.(request.native)) return bypass()

    const key = await keyOf(request)
    if (key === undefined) return settings.required ? problem('key-missing') : bypass()
    if (key === invalidKey) return problem('key-invalid')
    const scope = await scopeOf(request.native)
    if (scope === undefined) return problem('scope-missing')
    const compared = await fingerprint(request)
    if (compared.kind !== 'fingerprint') return problem(compared.code)

    const claimed = await engine.claim({
      recordKey: recordKey(scope, key, [request.method, pathOf(request.target)]),
      key,
      scope: scope.kind === 'of' ? scope.name : undefined,
      fingerprint: compared.fingerprint,
      earlier: compared.earlier,
      notStored: withoutBody,
      whenGone: request.whenGone,
    })
    const terms = {
      problems,
      replayedHeader,
      acceptEncoding: request.fieldLines('accept-encoding'),
      rebuild: settings.onReplay && ((stored: HttpResponse) => rebuilt(stored, request.native)),
    }
    switch (claimed.kind) {
      case 'execute': {
        const http = protectedExecution(claimed.active, settings, terms)
        const found = claimed.inDoubt && (await reconciled(claimed.active, http, request.native))
        if (found) return { kind: 'reply', http, reply: found }
        rememberMount(request.carrier, { settings, http })
        return { kind: 'execute', http }
      }
      case 'replay':
        return reply(await replayOf(claimed.result, terms))
      case 'mismatch':
        return problem('key-reused')
      case 'in-flight':
        return problem('request-in-flight', claimed.retryAfterMs)
      case 'doubt':
        return problem('outcome-unknown')
      case 'refused': {
        const { reason, error } = claimed
        if (reason === 'full') return problem('store-full')
        if (reason !== 'down' || settings.onStoreDown === 'refuse') {
          return problem('store-unavailable')
        }
        emitter.emit('unprotected', () => ({ ...claimed.detail, error }))
        return bypass()
      }
    }
  }

  const rebuilt = async (stored: HttpResponse, native: Native): Promise<HttpResponse> => {
    const given = await settings.onReplay?.(stored, native)
    return given === undefined ? stored : givenAnswer('onReplay', given)
  }

  /** What the application has found out about an earlier attempt; `undefined` where the handler is to run. */
  const reconciled = async (
    active: ActiveExecution,
    http: HttpExecution,
    native: Native,
  ): Promise<HttpResponse | undefined> => {
    const { onDoubt } = settings
    if (typeof onDoubt !== 'function') return undefined
    let found: HttpResponse | undefined
    try {
      const given = await onDoubt(active.execution, native)
      // What is known is kept where the key is still ours, however late; what may run must not run too late.
      if (given === 'run-again') active.execution.signal.throwIfAborted()
      else found = givenAnswer('onDoubt', given)
    } catch (error) {
      await active.finish('fail', new Uint8Array(), true)
      if (active.standing() !== 'stale') throw error
    }
    if (found === undefined && active.standing() === 'open') return undefined
    active.execution.complete()
    const answer = found ?? { status: 500, headers: [], body: new Uint8Array() }
    return (await http.finish({ ...answer, outerHeaders: [], unmatched: false })) ?? answer
  }

  const reply = (response: HttpResponse): Begun => ({
    kind: 'reply',
    http: unprotectedExecution(),
    reply: response,
  })
  const problem = (code: ProblemCode, retryAfterMs = 1_000): Begun =>
    reply(problemResponse(code, problems, { retryAfterMs }))

  const operations = createOperations<HttpResponse, Answer>({
    engine,
    emitter,
    recordKeyOf: recordKeyOfNamed,
    kept: (result) => (result.kind === 'response' ? result.response : undefined),
    encode: (given) => resultOf({ ...givenAnswer('resolve()', given), outerHeaders: [] }, settings),
  })
  return { ...operations, begin }
}

const givenAnswer = (where: string, given: unknown): HttpResponse => {
  const found = answerOf(given)
  if (found) return found
  throw wrongWord(
    `${where} to give an answer() of @retrysafe/core`,
    'Of any other response the bytes are not known.',
  )
}

const bypass = (): Begun => ({ kind: 'bypass', http: unprotectedExecution() })

const mountedTwice = (option: string): IdempotencyError =>
  new IdempotencyError(
    'mounted-twice',
    explain(
      'mounted-twice',
      'a second mount to have the options of the first',
      `another "${option}"`,
      'Only one of them can claim the key, and which one would depend on the order.',
    ),
  )
