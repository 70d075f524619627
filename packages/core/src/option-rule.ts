import type { ErrorCode } from './errors.js'

/** One option: its default, what it may be, and why that matters. */
export interface Rule {
  readonly preset?: unknown
  readonly isRight: (value: unknown) => boolean
  readonly expected: string
  readonly why: string
  readonly page?: ErrorCode
  /** What an error says in place of a wrong value, where that may hold a secret. */
  readonly shown?: (value: unknown) => string
}

export const duration = (preset: number): Rule => ({
  preset,
  isRight: isPositiveInteger,
  expected: 'a positive whole number of milliseconds',
  why: 'It is a duration.',
})
export const size = (preset: number): Rule => ({
  preset,
  isRight: isPositiveInteger,
  expected: 'a positive whole number',
  why: 'It bounds what one request can take.',
})
export const choice = (values: readonly unknown[], why: string): Rule => ({
  preset: values[0],
  isRight: (value) => values.includes(value),
  expected: values.map(show).join(' or '),
  why,
})
export const field = (preset: string): Rule => ({
  preset,
  isRight: isFieldName,
  expected: 'the name of a header field',
  why: 'It is sent or looked for on every request.',
})
export const callback: Rule = {
  isRight: (value) => value === undefined || typeof value === 'function',
  expected: 'a function',
  why: 'It is asked while a request waits.',
}

export function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0
}

export function isErrorStatus(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599
}

function isFieldName(value: unknown): boolean {
  return typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value)
}

export function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isFieldName)
}

export function isSafe(method: string): boolean {
  return ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method) || method !== method.toUpperCase()
}

export function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value)
}

export function isStore(value: unknown): boolean {
  const verbs = ['acquire', 'renew', 'complete', 'fail', 'release', 'read', 'purgeExpired', 'close']
  return (
    typeof value === 'object' &&
    value !== null &&
    verbs.every((verb) => typeof (value as Record<string, unknown>)[verb] === 'function')
  )
}

export function isCodec(value: unknown): boolean {
  const { synchronous, readsPlain, encode, decode } = Object(value) as Record<string, unknown>
  return (
    typeof synchronous === 'boolean' &&
    typeof readsPlain === 'boolean' &&
    typeof encode === 'function' &&
    typeof decode === 'function'
  )
}

export function hasOnly(members: Record<string, (value: unknown) => boolean>) {
  return (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(
      ([name, member]) => member === undefined || members[name]?.(member) === true,
    )
}

/** A value as an error message shows it: in short, and by its kind alone where it is no plain data. */
export function show(value: unknown): string {
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
