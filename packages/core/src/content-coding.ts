import { codingsOf, decodedContent, listed } from './decoded-content.js'
import { fieldLines, type HttpResponse } from './response.js'

/** A small answer can unfold to a great one; this is where that ends, in bytes. */
const maxDecodedBody = 64 * 1024 * 1024

/**
 * Digests over the bytes in their coding: RFC 9530, sections 2 and 3 (the coding is a part of the representation), and
 * what came before it. Beside other bytes they would tell a client that these were tampered with.
 */
const digests = ['content-digest', 'repr-digest', 'content-md5', 'digest']

/**
 * The answer in a coding that this client takes: as it was made, or decoded (RFC 9110, section 12.5.3).
 * `undefined` where neither can be had.
 */
export const decodedFor = async (
  response: HttpResponse,
  acceptEncoding: readonly string[],
): Promise<HttpResponse | undefined> => {
  const codings = codingsOf(fieldLines(response.headers, 'content-encoding'))
  if (codings.every((coding) => accepts(acceptEncoding, coding))) return response
  const body = await decodedContent(response.body, codings, maxDecodedBody)
  if (typeof body === 'string') return undefined
  const headers = response.headers
    .filter(([name]) => !['content-encoding', ...digests].includes(name.toLowerCase()))
    .map(([name, value]) => [name, isEntityTag(name) ? weak(value) : value] as const)
  return { status: response.status, headers, body }
}

const accepts = (lines: readonly string[], coding: string): boolean => {
  const alike = coding === 'x-gzip' ? 'gzip' : coding
  const weights = new Map(
    listed(lines).map((entry): [string, number] => {
      const [name = '', ...parameters] = entry.split(';').map((part) => part.trim())
      const weight = parameters.find((parameter) => parameter.startsWith('q='))
      return [name === 'x-gzip' ? 'gzip' : name, weight ? Number(weight.slice(2)) : 1]
    }),
  )
  return (weights.get(alike) ?? weights.get('*') ?? 0) > 0
}

const isEntityTag = (name: string): boolean => name.toLowerCase() === 'etag'
/** Other bytes under a strong tag would be a lie (RFC 9110, section 8.8.1). */
const weak = (tag: string): string => (tag.startsWith('W/') ? tag : `W/${tag}`)
