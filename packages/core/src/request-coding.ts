import { codingsOf, decodedContent } from './decoded-content.js'
import type { RequestBody } from './request.js'

/** Nobody applies more of them; each costs a pass. */
const maxCodings = 4

/**
 * The body before its codings (RFC 9110, section 8.4), so that a coding does not count. What cannot be decoded
 * stays as it is: a parser in front of the layer has often decoded it and left the field standing.
 */
export const withoutCoding = async (
  body: RequestBody,
  contentEncoding: readonly string[],
  limit: number,
): Promise<RequestBody> => {
  const codings = codingsOf(contentEncoding)
  const bytes = bytesOf(body)
  if (bytes === undefined || codings.length === 0 || codings.length > maxCodings) return body
  const decoded = await decodedContent(bytes, codings, limit)
  switch (decoded) {
    case 'too-large':
      return { kind: 'too-large' }
    case 'undecodable':
      return body
    default:
      return { kind: 'bytes', bytes: decoded }
  }
}

const bytesOf = (body: RequestBody): Uint8Array | undefined => {
  if (body.kind === 'bytes') return body.bytes
  return body.kind === 'parsed' && body.value instanceof Uint8Array ? body.value : undefined
}
