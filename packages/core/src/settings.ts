import { type ErrorCode, OptionError } from './errors.js'
import { uuid } from './idempotency-key.js'
import type { CommonOptions, IdempotencyOptions } from './options.js'
import { defaultProblemBase } from './problem.js'
import { isNeverReplayed } from './response-policy.js'

type Defaulted<Options, Left extends keyof Options> = Required<Omit<Options, Left>> &
  Pick<Options, Left>

/** The options with their defaults. */
export type CommonSettings = Required<CommonOptions>

/** The options with their defaults; the names listed here may be left out and have none. */
export type HttpSettings<Native> = Defaulted<
  IdempotencyOptions<Native>,
  'key' | 'keyFormat' | 'skip' | 'replayHeaders' | 'problem' | 'docsUrl'
>

/** One option: its default, what it may be, and why that matters. */
interface Rule {
  readonly preset?: unknown
  readonly isRight: (value: unknown) => boolean
  readonly expected: string
  readonly why: string
  readonly page?: ErrorCode
}

const duration = (preset: number): Rule => ({
  preset,
  isRight: isPositiveInteger,
  expected: 'a positive whole number of milliseconds',
  why: 'It is a duration.',
})
const size = (preset: number): Rule => ({
  preset,
  isRight: isPositiveInteger,
  expected: 'a positive whole number',
  why: 'It bounds what one request can take.',
})
const choice = (values: readonly unknown[], why: string): Rule => ({
  preset: values[0],
  isRight: (value) => values.includes(value),
  expected: values.map(show).join(' or '),
  why,
})
const field = (preset: string): Rule => ({
  preset,
  isRight: isFieldName,
  expected: 'the name of a header field',
  why: 'It is sent or looked for on every request.',
})
const callback: Rule = {
  isRight: (value) => value === undefined || typeof value === 'function',
  expected: 'a function',
  why: 'It is asked while a request waits.',
}

const commonRules: Record<keyof CommonOptions, Rule> = {
  store: {
    isRight: isStore,
    expected: 'a store, such as memoryStore()',
    why: 'Without one nothing is remembered.',
  },
  namespace: {
    preset: '',
    isRight: (value) => typeof value === 'string',
    expected: 'a string',
    why: 'It tells applications that share a store apart.',
  },
  leaseMs: duration(60_000),
  maxRunMs: duration(900_000),
  retentionMs: duration(86_400_000),
  doubtRetentionMs: duration(2_592_000_000),
  storeTimeoutMs: duration(2_000),
  graceMs: duration(10_000),
  onDoubt: choice(['run-again', 'reject'], 'It decides over a key that may have had effects.'),
  onInFlight: {
    preset: {},
    isRight: hasOnly({ retryAfterMs: isPositiveInteger }),
    expected: 'an object of retryAfterMs, a positive whole number of milliseconds',
    why: 'It says what a duplicate is told.',
  },
  onStoreDown: choice(
    ['refuse', 'run-unprotected'],
    'It decides whether a handler runs without protection.',
  ),
  maxStoredBody: size(1_048_576),
  maxKeyLength: size(255),
}

const httpRules: Record<keyof IdempotencyOptions<never>, Rule> = {
  ...commonRules,
  scope: {
    isRight: (value) => value === 'global' || typeof value === 'function',
    expected: `a function or 'global'`,
    why: "A key belongs to a caller: without a scope, one customer could receive another's answer.",
    page: 'scope-missing',
  },
  header: field('Idempotency-Key'),
  key: callback,
  keySyntax: choice(['both', 'strict', 'opaque'], 'It decides which keys are one key.'),
  keyFormat: {
    isRight: (value) =>
      value === undefined ||
      value === 'uuid' ||
      value instanceof RegExp ||
      typeof value === 'function',
    expected: `'uuid', a regular expression or a function`,
    why: 'It narrows the keys that are taken.',
  },
  keyScope: choice(['caller', 'route'], 'It decides which requests share a key.'),
  required: choice([false, true], 'It decides whether a request without a key runs.'),
  methods: {
    preset: ['POST', 'PATCH'],
    isRight: (value) => isNames(value) && value.length > 0 && value.every((name) => !isSafe(name)),
    expected: 'a list of methods without GET, HEAD, OPTIONS and TRACE, in upper case',
    why: 'Safe methods have no effect that a retry could double (RFC 9110, section 9.2.1).',
  },
  skip: callback,
  fingerprint: {
    preset: {},
    isRight: (value) =>
      value === false ||
      typeof value === 'function' ||
      hasOnly({ json: (json) => json === 'semantic' || json === 'raw', headers: isNames })(value),
    expected: `false, a function, or an object of json ('semantic' or 'raw') and headers (names)`,
    why: 'It decides whether two requests with one key are the same.',
  },
  maxRequestBody: size(1_048_576),
  keep: {
    preset: 'default',
    isRight: (value) =>
      ['default', 'success-only', 'all'].includes(value as string) || typeof value === 'function',
    expected: `'default', 'success-only', 'all' or a function`,
    why: 'It decides which answers are replayed.',
  },
  replayHeaders: {
    isRight: (value) =>
      value === undefined ||
      (isNames(value) && !value.some((name) => isNeverReplayed(name.toLowerCase()))),
    expected: 'a list of header fields, without cookies and those of one connection or moment',
    why: 'What belongs to one caller is never given to another.',
  },
  replayedHeader: field('Idempotent-Replayed'),
  status: {
    preset: {},
    isRight: hasOnly({ mismatch: isErrorStatus, inFlight: isErrorStatus }),
    expected: 'an object of mismatch and inFlight, each from 400 to 599',
    why: 'Both are refusals.',
  },
  problem: callback,
  problemBase: {
    preset: defaultProblemBase,
    isRight: isUrl,
    expected: 'an absolute URL',
    why: 'Clients tell problems apart by it (RFC 9457, section 3.1.1).',
  },
  docsUrl: {
    isRight: (value) => value === undefined || isUrl(value),
    expected: 'an absolute URL',
    why: 'Clients follow it.',
  },
}

/** Defaults and judgement, once, at construction. Throws `OptionError`. */
export const resolveCommon = (options: CommonOptions): CommonSettings =>
  resolve(options, commonRules) as unknown as CommonSettings

/** Defaults and judgement, once, at construction. Throws `OptionError`. */
export const resolveHttp = <Native>(options: IdempotencyOptions<Native>): HttpSettings<Native> =>
  resolve(options, httpRules) as unknown as HttpSettings<Native>

const resolve = (options: object, rules: Record<string, Rule>): Record<string, unknown> => {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError('options', show(options), 'They say at least where records are kept.')
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(rules, name))
  if (unknown !== undefined) {
    throw new OptionError(
      `options out of ${Object.keys(rules).join(', ')}`,
      `"${unknown}"`,
      'An option that nothing reads is a protection that nobody gives.',
    )
  }
  const settings: Record<string, unknown> = {}
  for (const [name, { preset, isRight, expected, why, page }] of Object.entries(rules)) {
    const given = (options as Record<string, unknown>)[name]
    const value = given === undefined ? preset : given
    if (!isRight(value)) {
      // A client given for a store has a password somewhere inside.
      const got = name === 'store' && typeof value === 'object' && value ? 'an object' : show(value)
      throw new OptionError(`"${name}" to be ${expected}`, got, why, page)
    }
    settings[name] = value
  }
  return settings
}

/** The judge of a key that `keyFormat` stands for. */
export const keyJudge = (
  format: IdempotencyOptions<never>['keyFormat'],
): ((key: string) => boolean) => {
  if (format === undefined) return () => true
  if (typeof format === 'function') return format
  // A regular expression with the flag g or y remembers where it stopped; this one starts afresh.
  const pattern =
    format === 'uuid' ? uuid : new RegExp(format.source, format.flags.replace(/[gy]/g, ''))
  return (key) => pattern.test(key)
}

/**
 * The first option that is not the same in both, by value; functions and stores by identity. `undefined` where
 * all are.
 */
export const differingOption = (a: object, b: object): string | undefined => {
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  return Object.keys(left).find((name) =>
    name === 'store' ? left[name] !== right[name] : !isEqual(left[name], right[name]),
  )
}

const isEqual = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...names].every((name) => isEqual(left[name], right[name]))
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

function isErrorStatus(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599
}

function isFieldName(value: unknown): boolean {
  return typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isFieldName)
}

function isSafe(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method) || method !== method.toUpperCase()
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value)
}

function isStore(value: unknown): boolean {
  const verbs = ['acquire', 'renew', 'complete', 'fail', 'release', 'read', 'purgeExpired', 'close']
  return (
    typeof value === 'object' &&
    value !== null &&
    verbs.every((verb) => typeof (value as Record<string, unknown>)[verb] === 'function')
  )
}

function hasOnly(members: Record<string, (value: unknown) => boolean>) {
  return (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([name, member]) => member === undefined || members[name]?.(member) === true,
    )
}

/** A value as an error message shows it: in short, and by its kind alone where it is no plain data. */
function show(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'string') return shorten(`'${value}'`)
  if (typeof value !== 'object' || value === null) return String(value)
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return 'an object'
  try {
    return shorten(JSON.stringify(value))
  } catch {
    return 'an object'
  }
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
