/** Deeper than this, a document is compared by its bytes; where those are gone, it is refused. */
export const maxJsonDepth = 256

/** Larger than this, in bytes or in canonical characters, likewise: the walk is the event loop's time. */
export const maxJsonLength = 1024 * 1024

/** A document over one of the bounds above. */
export class JsonBoundError extends Error {}

/**
 * One text for all documents that mean the same: members sorted, white space and escapes made alike. A number
 * stays the text that was sent and a member that stands twice stands twice, so that different documents never
 * meet. `text` must be JSON (what `JSON.parse` takes).
 */
export const canonicalText = (text: string): string => {
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
  const value = (depth: number): string => {
    if (depth > maxJsonDepth) throw new JsonBoundError()
    blank()
    const first = text.charAt(at)
    if (first === '"') return string()
    if (first === '[') {
      const items: string[] = []
      parts(']', () => items.push(value(depth + 1)))
      return `[${items.join(',')}]`
    }
    if (first === '{') {
      const members: [name: string, value: string][] = []
      parts('}', () => {
        const name = string()
        blank()
        at++
        members.push([name, value(depth + 1)])
      })
      return joinMembers(members)
    }
    return literal()
  }

  return value(0)
}

/**
 * The same of a parsed value. What JSON cannot say but a parser's reviver can (`undefined`, a bigint, a Date)
 * has a text of its own; a value that shows nothing of itself (a Map, a stream) is a `TypeError`.
 */
export const canonicalValue = (value: unknown, depth = 0): string => {
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
      return value === null ? 'null' : canonicalObject(value, depth)
    default:
      throw new TypeError(`A ${typeof value} has no fingerprint.`)
  }
}

const canonicalObject = (value: object, depth: number): string => {
  if (Array.isArray(value)) {
    // Not `map()`, which skips holes: an array of one hole would be the empty one.
    return `[${Array.from(value, (item) => canonicalValue(item, depth + 1)).join(',')}]`
  }
  if (value instanceof Date) return `Date(${value.getTime()})`
  const kind = Object.prototype.toString.call(value)
  if (kind !== '[object Object]') throw new TypeError(`${kind} has no fingerprint.`)
  return joinMembers(
    Object.entries(value).map(([name, member]) => [
      JSON.stringify(name),
      canonicalValue(member, depth + 1),
    ]),
  )
}

/** Sorted by name; members of one name keep their order, since the last of them is the one that counts. */
const joinMembers = (members: [name: string, value: string][]): string =>
  `{${members
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}:${value}`)
    .join(',')}}`
