import type { HeaderPairs } from './response.js'

/** What becomes of the record when an answer has been given. */
export type Keep = 'complete' | 'fail' | 'release'

/** An answer as `keep` sees it. */
export interface KeepCandidate {
  readonly status: number
  readonly headers: HeaderPairs
}

export type KeepPolicy = 'default' | 'success-only' | 'all'

/**
 * A business answer is kept, a transient fault runs again, and an answer about the caller rather than about
 * the request (credentials, rate) leaves no trace.
 */
export const keepOf = (status: number, policy: KeepPolicy): Keep => {
  if (policy === 'all') return 'complete'
  if (status >= 500) return 'fail'
  if (policy === 'success-only') return status >= 400 ? 'release' : 'complete'
  if ([401, 403, 429].includes(status)) return 'release'
  return [408, 409, 423, 425].includes(status) ? 'fail' : 'complete'
}

const never = new Set([
  'set-cookie',
  'www-authenticate',
  'authentication-info',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'age',
  'server-timing',
  'x-request-id',
  'traceparent',
])
const neverStartingWith = ['proxy-', 'ratelimit', 'x-ratelimit', 'access-control-']

/** Fields that belong to one connection, one moment or one caller: never given to another. Lower case. */
export const isNeverReplayed = (name: string): boolean =>
  never.has(name) || neverStartingWith.some((prefix) => name.startsWith(prefix))

/**
 * The fields that go into the record: those set inside the layer, that may be given again.
 * @param outer What was set in front of the layer; a name whose lines are the same inside is not the layer's.
 * @param allowed With it, no other name is kept.
 */
export const storedHeaders = (
  headers: HeaderPairs,
  outer: HeaderPairs,
  allowed?: ReadonlySet<string>,
): HeaderPairs => {
  const outerLines = linesByName(outer)
  const ownLines = linesByName(headers)
  const named = new Set(
    (ownLines.get('connection') ?? []).flatMap((line) =>
      line.split(',').map((name) => name.trim().toLowerCase()),
    ),
  )
  const isKept = (name: string): boolean =>
    !isNeverReplayed(name) &&
    !named.has(name) &&
    (allowed === undefined || allowed.has(name)) &&
    ownLines.get(name)?.join('\n') !== outerLines.get(name)?.join('\n')
  return headers.filter(([name]) => isKept(name.toLowerCase()))
}

const linesByName = (headers: HeaderPairs): Map<string, string[]> => {
  const lines = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const lower = name.toLowerCase()
    const given = lines.get(lower)
    if (given) given.push(value)
    else lines.set(lower, [value])
  }
  return lines
}
