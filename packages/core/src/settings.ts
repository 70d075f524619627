import type { Codec } from './codec.js'
import { OptionError } from './errors.js'
import { fingerprintRule } from './fingerprint-option.js'
import { uuid } from './idempotency-key.js'
import {
  callback,
  choice,
  duration,
  field,
  hasOnly,
  isCodec,
  isErrorStatus,
  isNames,
  isPositiveInteger,
  isSafe,
  isStore,
  isUrl,
  type Rule,
  show,
  size,
} from './option-rule.js'
import type { CommonOptions, IdempotencyOptions, OnDoubt, RunOptions } from './options.js'
import { defaultProblemBase } from './problem.js'
import { isNeverReplayed } from './response-policy.js'
import type { IdempotencyStore } from './store.js'

type Defaulted<Options, Left extends keyof Options> = Required<Omit<Options, Left>> &
  Pick<Options, Left>

/** The options with their defaults. */
export type CommonSettings = Required<CommonOptions> & {
  readonly onDoubt: OnDoubt<never, unknown>
}

/** The options with their defaults. */
export type RunSettings = Required<RunOptions>

/** The options with their defaults; the names listed here may be left out and have none. */
export type HttpSettings<Native> = Defaulted<
  IdempotencyOptions<Native>,
  'key' | 'keyFormat' | 'skip' | 'onReplay' | 'replayHeaders' | 'problem' | 'docsUrl'
>

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
  onInFlight: {
    preset: {},
    isRight: hasOnly({
      retryAfterMs: isPositiveInteger,
      waitMs: isPositiveInteger,
      maxWaiters: isPositiveInteger,
    }),
    expected: 'an object of retryAfterMs, waitMs and maxWaiters, each a positive whole number',
    why: 'It says what a duplicate is told.',
  },
  onStoreDown: choice(
    ['refuse', 'run-unprotected'],
    'It decides whether a handler runs without protection.',
  ),
  codec: {
    preset: [],
    isRight: (value) => (Array.isArray(value) ? value : [value]).every(isCodec),
    expected: 'a codec, such as encrypted(), or a list of them',
    why: 'What one cannot undo, no retry can be answered from.',
    // What is given in place of one may well be its keys.
    shown: (value) => (typeof value === 'object' && value !== null ? 'an object' : typeof value),
  },
  maxStoredBody: size(1_048_576),
  maxKeyLength: size(255),
}

const onDoubt: Rule = {
  preset: 'run-again',
  isRight: (value) => value === 'run-again' || value === 'reject' || typeof value === 'function',
  expected: `'run-again', 'reject' or a function`,
  why: 'It decides over a key that may have had effects.',
}

const runRules: Record<keyof RunOptions, Rule> = { ...commonRules, onDoubt }

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
  onDoubt,
  onReplay: callback,
  methods: {
    preset: ['POST', 'PATCH'],
    isRight: (value) => isNames(value) && value.length > 0 && value.every((name) => !isSafe(name)),
    expected: 'a list of methods without GET, HEAD, OPTIONS and TRACE, in upper case',
    why: 'Safe methods have no effect that a retry could double (RFC 9110, section 9.2.1).',
  },
  skip: callback,
  fingerprint: fingerprintRule,
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
export const resolveRun = (options: RunOptions): RunSettings =>
  resolve(options, runRules) as unknown as RunSettings

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
  for (const [name, rule] of Object.entries(rules)) {
    const { preset, isRight, expected, why, page, shown = show } = rule
    const given = (options as Record<string, unknown>)[name]
    const value = given === undefined ? preset : given
    if (!isRight(value)) {
      // A client given for a store has a password somewhere inside.
      const got =
        name === 'store' && typeof value === 'object' && value ? 'an object' : shown(value)
      throw new OptionError(`"${name}" to be ${expected}`, got, why, page)
    }
    settings[name] = value
  }
  refuseSlowCodec(settings)
  return settings
}

/** Inside a synchronous transaction there is no waiting for a codec. */
const refuseSlowCodec = ({ store, codec }: Record<string, unknown>): void => {
  if ((store as IdempotencyStore).transactions !== 'synchronous') return
  if ([codec as Codec | Codec[]].flat().every(({ synchronous }) => synchronous)) return
  throw new OptionError(
    '"codec" to be synchronous',
    'one that is not',
    'The transactions of this store are synchronous, and the record is written inside them.',
  )
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
