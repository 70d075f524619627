import { errorPages, type ProblemCode, problemStatus } from './errors.js'
import type { HttpResponse } from './response.js'

/** An answer of ours, as RFC 9457 (section 3.1) has it, with a stable `code` beside. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
}

export interface ProblemSettings {
  /** What `type` starts with; the code follows. */
  readonly base: string
  /** Where the rules of the API stand, for a Link header. */
  readonly docsUrl: string | undefined
  readonly status: { readonly mismatch: number; readonly inFlight: number }
  /** Replaces the body: its content, and its type where that is not a problem's. */
  readonly render: ((problem: Problem) => unknown) | undefined
}

// The titles of key-missing, key-reused and request-in-flight are those of
// draft-ietf-httpapi-idempotency-key-header-07, section 2.7.
const texts: Record<ProblemCode, readonly [title: string, detail: string]> = {
  'key-missing': [
    'Idempotency-Key is missing',
    'This operation is idempotent and needs an Idempotency-Key header.',
  ],
  'key-invalid': [
    'Idempotency-Key is invalid',
    'Send one Idempotency-Key header with one key, such as a UUID in double quotes.',
  ],
  'key-reused': [
    'Idempotency-Key is already used',
    'The key was used with another request. A new request needs a new key.',
  ],
  'request-in-flight': [
    'A request is outstanding for this Idempotency-Key',
    'The first request with this key has not been answered yet. Ask again later.',
  ],
  'outcome-unknown': [
    'The outcome of the first request is unknown',
    'An earlier request with this key may have taken effect. It is not run again until somebody has found out.',
  ],
  'response-not-stored': [
    'The answer was not stored',
    'The request with this key has taken effect, but its answer cannot be given again.',
  ],
  'body-too-large': [
    'The body is too large',
    'The body is larger than can be compared with a retry.',
  ],
  'body-consumed': [
    'The body was read too early',
    'The server has read the body before it could be compared with a retry.',
  ],
  'scope-missing': [
    'The caller is unknown',
    'The server could not tell whose Idempotency-Key this is.',
  ],
  'store-unavailable': [
    'Idempotency is unavailable',
    'What this key stands for could not be recorded or looked up. Ask again later with the same key.',
  ],
  'store-full': [
    'Idempotency has no room',
    'The request was not run, since no more keys can be kept at the moment. Ask again later.',
  ],
}

const retried: readonly ProblemCode[] = ['request-in-flight', 'store-unavailable', 'store-full']

/** @param retryAfterMs Sent, in whole seconds and at least 1, where asking again helps. */
export const problemResponse = (
  code: ProblemCode,
  settings: ProblemSettings,
  extra: { readonly retryAfterMs?: number; readonly location?: string | undefined } = {},
): HttpResponse => {
  const [title, detail] = texts[code]
  const status = statusOf(code, settings)
  const problem: Problem = { type: `${settings.base}${code}`, title, status, detail, code }
  const headers: [string, string][] = [
    ['Content-Type', 'application/problem+json'],
    ['Cache-Control', 'no-store'],
  ]
  if (settings.docsUrl !== undefined) {
    headers.push(['Link', `<${settings.docsUrl}>; rel="describedby"`])
  }
  if (retried.includes(code)) {
    const seconds = Math.max(1, Math.ceil((extra.retryAfterMs ?? 1000) / 1000))
    headers.push(['Retry-After', String(seconds)])
  }
  if (extra.location !== undefined) headers.push(['Location', extra.location])
  return { status, headers, body: Buffer.from(rendered(problem, settings), 'utf8') }
}

/** The options that shape problems, in their place. */
export const problemSettings = (options: {
  readonly problemBase: string
  readonly docsUrl?: string
  readonly status: { readonly mismatch?: number; readonly inFlight?: number }
  readonly problem?: ((problem: Problem) => unknown) | undefined
}): ProblemSettings => ({
  base: options.problemBase,
  docsUrl: options.docsUrl,
  status: { mismatch: options.status.mismatch ?? 422, inFlight: options.status.inFlight ?? 409 },
  render: options.problem,
})

/** The default of the `problemBase` option. */
export const defaultProblemBase = errorPages

const statusOf = (code: ProblemCode, { status }: ProblemSettings): number => {
  if (code === 'key-reused') return status.mismatch
  if (code === 'request-in-flight') return status.inFlight
  return problemStatus[code]
}

const rendered = (problem: Problem, { render }: ProblemSettings): string => {
  const plain = JSON.stringify(problem)
  try {
    const own = render?.(problem)
    if (!(own instanceof Promise)) return JSON.stringify(own ?? problem) ?? plain
    own.catch(() => {})
    return plain
  } catch {
    // The user's own rendering failed, or is no JSON: the plain problem is still true.
    return plain
  }
}
