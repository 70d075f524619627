import { explain, IdempotencyError, type ProblemCode } from './errors.js'
import { createEmitter, type Events } from './events.js'
import { anyRequest, customFingerprint, fingerprintOf, fingerprintSettings } from './fingerprint.js'
import {
  type HttpExecution,
  protectedExecution,
  unprotectedExecution,
  withoutBody,
} from './http-execution.js'
import { createEngine } from './idempotency.js'
import { parseKey } from './idempotency-key.js'
import { mountOf, rememberMount } from './mount.js'
import type { IdempotencyOptions } from './options.js'
import { problemResponse, problemSettings } from './problem.js'
import { recordKeyOf, type Scope } from './record-key.js'
import { replayOf } from './reply.js'
import { type IncomingRequest, mediaType, pathOf } from './request.js'
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

/** What every binding offers beside its middleware. */
export interface Operations {
  readonly events: Events
  /** Removes expired records by hand, at most `limit` (1,000) of them; answers how many. */
  purgeExpired(limit?: number): Promise<number>
  /** Waits for what runs on the store, `graceMs` at most, then closes what the store has opened. */
  close(): Promise<void>
}

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
      notStored: withoutBody,
    })
    const terms = {
      problems,
      replayedHeader,
      acceptEncoding: request.fieldLines('accept-encoding'),
    }
    switch (claimed.kind) {
      case 'execute': {
        const http = protectedExecution(claimed.active, settings, terms)
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
        body: await request.readBody(maxRequestBody),
      },
      covered,
    )
    if (made.kind === 'fingerprint') return made
    return { kind: 'refused', code: made.kind === 'too-large' ? 'body-too-large' : 'body-consumed' }
  }

  const reply = (response: HttpResponse): Begun => ({
    kind: 'reply',
    http: unprotectedExecution(),
    reply: response,
  })
  const problem = (code: ProblemCode, retryAfterMs = 1_000): Begun =>
    reply(problemResponse(code, problems, { retryAfterMs }))

  return {
    begin,
    events: { on: emitter.on },
    purgeExpired: engine.purgeExpired,
    close: engine.close,
  }
}

type Compared =
  | { readonly kind: 'fingerprint'; readonly fingerprint: string }
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
