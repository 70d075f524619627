/** How the field is read: a structured-field String or a bare key, the former alone, or the value as it stands. */
export type KeySyntax = 'both' | 'strict' | 'opaque'

// RFC 9651: a String (section 3.3.3), then parameters (3.1.2), whose bare items (3.3) may be of any type.
const string = String.raw`"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"`
const parameterKey = String.raw`[a-z*][a-z0-9_\-.*]*`
const bareItem = [
  String.raw`-?\d{1,12}\.\d{1,3}`,
  String.raw`-?\d{1,15}`,
  string,
  String.raw`[A-Za-z*][!#$%&'*+\-.^_\x60|~0-9A-Za-z:/]*`,
  ':(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?:',
  String.raw`\?[01]`,
  String.raw`@-?\d{1,15}`,
  String.raw`%"(?:[\x20-\x21\x23-\x24\x26-\x7e]|%[0-9a-f]{2})*"`,
].join('|')
const structured = new RegExp(`^ *(${string})(?:; *${parameterKey}(?:=(?:${bareItem}))?)* *$`)
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/

/** The key in a field value; `undefined` where it is malformed. The length is not judged here. */
export const parseKey = (fieldValue: string, syntax: KeySyntax): string | undefined => {
  if (syntax === 'opaque') return fieldValue
  const quoted = structured.exec(fieldValue)?.[1]
  if (quoted !== undefined) return quoted.slice(1, -1).replace(/\\(["\\])/g, '$1')
  const trimmed = fieldValue.trim()
  return syntax === 'both' && bare.test(trimmed) ? trimmed : undefined
}

/** RFC 9562, section 4, of any version. */
export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
