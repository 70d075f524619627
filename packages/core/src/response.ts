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

/** Answers without content (RFC 9110, section 6.4.1): their head alone is the whole answer. */
export const hasNoContent = (status: number): boolean =>
  status < 200 || status === 204 || status === 205 || status === 304
