import type { ExcludedMembers } from './excluded-members.js'

/** Deeper than this, a document is compared by its bytes; where those are gone, it is refused. */
export const maxJsonDepth = 256

/** Larger than this, in bytes or in canonical characters, likewise: the walk is the event loop's time. */
export const maxJsonLength = 1024 * 1024

/** A document over one of the bounds above. */
export class JsonBoundError extends Error {}

/**
 * One text for all documents that mean the same: members sorted, white space and escapes made alike. A number
 * stays the text that was sent and a member that stands twice stands twice, so that different documents never
 * meet. `text` must be JSON (what `JSON.parse` takes). What is left out is walked all the same: the bounds hold for
 * the whole document.
 */
export const canonicalText = (text: string, excluded?: ExcludedMembers): string => {
  let at = 0

  const blank = (): void => {
    while (at < text.length && ' \n\r\t'.includes(text.charAt(at))) at++
  }
  const literal = (): string => {
    const start = at
    while (at < text.length && !',]} \n\r\t'.includes(text.charAt(at))) at++
    return text.slice(start, at)
  }
  const string = (): string => {
    const start = at++
    let escaped = false
    while (text.charAt(at) !== '"') {
      if (text.charAt(at) === '\\') {
        escaped = true
        at++
      }
      at++
    }
    const token = text.slice(start, ++at)
    return escaped ? JSON.stringify(JSON.parse(token)) : token
  }
  /** The parts of an array or object, up to and with its closing bracket. */
  const parts = (close: string, part: () => void): void => {
    at++
    blank()
    while (text.charAt(at) !== close) {
      part()
      blank()
      if (text.charAt(at) === ',') at++
      blank()
    }
    at++
  }
  const value = (depth: number, excluded: ExcludedMembers | undefined): string => {
    if (depth > maxJsonDepth) throw new JsonBoundError()
    blank()
    const first = text.charAt(at)
    if (first === '"') return string()
    if (first === '[') {
      const items: string[] = []
      let index = 0
      parts(']', () => {
        const inner = excluded?.items.get(index++)
        const item = value(depth + 1, inner)
        if (!inner?.isWhole) items.push(item)
      })
      return `[${items.join(',')}]`
    }
    if (first === '{') {
      const members: [name: string, value: string][] = []
      parts('}', () => {
        const name = string()
        blank()
        at++
        const inner = excluded?.members.get(name)
        const member = value(depth + 1, inner)
        if (!inner?.isWhole) members.push([name, member])
      })
      return joinMembers(members)
    }
    return literal()
  }

  return value(0, excluded)
}

/**
 * The same of a parsed value. What JSON cannot say but a parser's reviver can (`undefined`, a bigint, a Date)
 * has a text of its own; a value that shows nothing of itself (a Map, a stream) is a `TypeError`.
 */
export const canonicalValue = (value: unknown, excluded?: ExcludedMembers, depth = 0): string => {
  if (depth > maxJsonDepth) throw new JsonBoundError()
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : canonicalObject(value, excluded, depth)
    default:
      throw new TypeError(`A ${typeof value} has no fingerprint.`)
  }
}

const canonicalObject = (
  value: object,
  excluded: ExcludedMembers | undefined,
  depth: number,
): string => {
  if (Array.isArray(value)) {
    // Not `map()`, which skips holes: an array of one hole would be the empty one.
    const items = Array.from(value, (item, index) =>
      canonicalValue(item, excluded?.items.get(index), depth + 1),
    )
    return `[${items.filter((_, index) => !excluded?.items.get(index)?.isWhole).join(',')}]`
  }
  if (value instanceof Date) return `Date(${value.getTime()})`
  const kind = Object.prototype.toString.call(value)
  if (kind !== '[object Object]') throw new TypeError(`${kind} has no fingerprint.`)
  const members: [name: string, value: string][] = []
  for (const [key, member] of Object.entries(value)) {
    const name = JSON.stringify(key)
    const inner = excluded?.members.get(name)
    const text = canonicalValue(member, inner, depth + 1)
    if (!inner?.isWhole) members.push([name, text])
  }
  return joinMembers(members)
}

/** Sorted by name; members of one name keep their order, since the last of them is the one that counts. */
const joinMembers = (members: [name: string, value: string][]): string =>
  `{${members
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}:${value}`)
    .join(',')}}`
