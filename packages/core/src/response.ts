/** A header field a line, in order; a field that was sent on several lines stands there several times. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** A whole answer: the body is bytes, whatever it means. */
export interface HttpResponse {
  readonly status: number
  readonly headers: HeaderPairs
  readonly body: Uint8Array
}

/** The values of one field, in order; the name in any case. */
export const fieldLines = (headers: HeaderPairs, name: string): string[] =>
  headers.filter(([given]) => given.toLowerCase() === name).map(([, value]) => value)

const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Whether it is a name and a value that HTTP can carry (RFC 9110, sections 5.1 and 5.5). */
export const isField = (pair: unknown): pair is [string, string] =>
  Array.isArray(pair) &&
  pair.length === 2 &&
  typeof pair[0] === 'string' &&
  typeof pair[1] === 'string' &&
  fieldName.test(pair[0]) &&
  fieldValue.test(pair[1])

/** Answers without content (RFC 9110, section 6.4.1): their head alone is the whole answer. */
export const hasNoContent = (status: number): boolean =>
  status < 200 || status === 204 || status === 205 || status === 304
