import { type Answer, answerOf } from './answer.js'
import { explain, IdempotencyError, type ProblemCode } from './errors.js'
import { createEmitter } from './events.js'
import {
  anyRequest,
  customFingerprint,
  type EarlierFingerprint,
  fingerprintOf,
} from './fingerprint.js'
import { fingerprintSettings } from './fingerprint-settings.js'
import type { ActiveExecution } from './holding.js'
import {
  type HttpExecution,
  protectedExecution,
  resultOf,
  unprotectedExecution,
  withoutBody,
} from './http-execution.js'
import { createEngine } from './idempotency.js'
import { parseKey } from './idempotency-key.js'
import { mountOf, rememberMount } from './mount.js'
import { createOperations, type Operations, wrongWord } from './operations.js'
import type { IdempotencyOptions } from './options.js'
import { problemResponse, problemSettings } from './problem.js'
import { recordKeyOf, type Scope } from './record-key.js'
import { replayOf } from './reply.js'
import { type IncomingRequest, mediaType, pathOf } from './request.js'
import { withoutCoding } from './request-coding.js'
import type { HttpResponse } from './response.js'
import { differingOption, keyJudge, resolveHttp } from './settings.js'

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
  const isKey = keyJudge(settings.keyFormat)
  const fieldName = settings.header.toLowerCase()
  const covered =
    typeof settings.fingerprint === 'object' ? fingerprintSettings(settings.fingerprint) : undefined
  const emitter = createEmitter()
  const engine = createEngine(settings, emitter)

  const begin = async (request: IncomingRequest<Native>): Promise<Begun> => {
    const mount = mountOf(request.carrier)
    if (mount !== undefined) {
      const option = differingOption(mount.settings, settings)
      if (option === undefined) return { kind: 'bypass', http: mount.http }
      // What the framework answers to the error leaves no record: nothing has run.
      mount.http.execution.release()
      throw mountedTwice(option)
    }
    if (!settings.methods.includes(request.method)) return bypass()
    if (await settings.skip?.(request.native)) return bypass()

    const key = await keyOf(request)
    if (key === undefined) return settings.required ? problem('key-missing') : bypass()
    if (key === invalid) return problem('key-invalid')
    const scope = await scopeOf(request.native)
    if (scope === undefined) return problem('scope-missing')
    const compared = await compare(request)
    if (compared.kind !== 'fingerprint') return problem(compared.code)

    const claimed = await engine.claim({
      recordKey: recordKeyOf({
        namespace: settings.namespace,
        kind: 'http',
        scope,
        key,
        ...(settings.keyScope === 'route' && { route: [request.method, pathOf(request.target)] }),
      }),
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

  const keyOf = async (
    request: IncomingRequest<Native>,
  ): Promise<string | undefined | typeof invalid> => {
    const key = settings.key ? await settings.key(request.native) : keyInField(request)
    if (key === undefined || key === invalid) return key
    if (typeof key !== 'string' || key.length === 0 || key.length > settings.maxKeyLength)
      return invalid
    return isKey(key) ? key : invalid
  }

  const keyInField = (request: IncomingRequest<Native>): string | undefined | typeof invalid => {
    const lines = request.fieldLines(fieldName)
    if (lines.length === 0) return undefined
    // Two lines are two keys, and no rule says which of them counts.
    return (lines.length === 1 && parseKey(lines[0] ?? '', settings.keySyntax)) || invalid
  }

  const scopeOf = async (native: Native): Promise<Scope | undefined> => {
    if (settings.scope === 'global') return { kind: 'global' }
    try {
      const name = await settings.scope(native)
      return typeof name === 'string' && name !== '' ? { kind: 'of', name } : undefined
    } catch {
      return undefined
    }
  }

  const compare = async (request: IncomingRequest<Native>): Promise<Compared> => {
    const { fingerprint, maxRequestBody } = settings
    if (typeof fingerprint === 'function') {
      const value = await fingerprint(request.native)
      return { kind: 'fingerprint', fingerprint: customFingerprint(value) }
    }
    if (covered === undefined) return { kind: 'fingerprint', fingerprint: anyRequest }
    const made = fingerprintOf(
      {
        method: request.method,
        target: request.target,
        mediaType: mediaType(request.fieldLines('content-type')[0]),
        fieldLines: request.fieldLines,
        body: await withoutCoding(
          await request.readBody(maxRequestBody),
          request.fieldLines('content-encoding'),
          maxRequestBody,
        ),
      },
      covered,
    )
    if (made.kind === 'fingerprint') return made
    return { kind: 'refused', code: made.kind === 'too-large' ? 'body-too-large' : 'body-consumed' }
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
    recordKeyOf: ({ scope, key, method, path }) => {
      const isRoute = settings.keyScope === 'route'
      if (typeof key !== 'string' || (scope === undefined) !== (settings.scope === 'global'))
        throw wrongWord('a key, and its scope unless that is global', whichRecord)
      if (isRoute !== (method !== undefined && path !== undefined))
        throw wrongWord(`method and path with keyScope 'route', and only then`, whichRecord)
      return recordKeyOf({
        namespace: settings.namespace,
        kind: 'http',
        scope: scope === undefined ? { kind: 'global' } : { kind: 'of', name: scope },
        key,
        ...(isRoute && { route: [method as string, path as string] }),
      })
    },
    kept: (result) => (result.kind === 'response' ? result.response : undefined),
    encode: (given) => resultOf({ ...givenAnswer('resolve()', given), outerHeaders: [] }, settings),
  })
  return { ...operations, begin }
}

const whichRecord = 'Each of these is a part of what its record is kept under.'

const givenAnswer = (where: string, given: unknown): HttpResponse => {
  const found = answerOf(given)
  if (found) return found
  throw wrongWord(
    `${where} to give an answer() of @retrysafe/core`,
    'Of any other response the bytes are not known.',
  )
}

type Compared =
  | {
      readonly kind: 'fingerprint'
      readonly fingerprint: string
      readonly earlier?: EarlierFingerprint
    }
  | { readonly kind: 'refused'; readonly code: 'body-too-large' | 'body-consumed' }

const invalid = Symbol('key-invalid')

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
