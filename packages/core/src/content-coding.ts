import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { fieldLines, type HttpResponse } from './response.js'

/** A small answer can unfold to a great one; this is where that ends, in bytes. */
const maxDecodedBody = 64 * 1024 * 1024

type Decode = (body: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

const decoders = new Map<string, Decode>([
  ['gzip', promisify(zlib.gunzip) as Decode],
  ['x-gzip', promisify(zlib.gunzip) as Decode],
  ['deflate', promisify(zlib.inflate) as Decode],
  ['br', promisify(zlib.brotliDecompress) as Decode],
])

/**
 * The answer in a coding that this client takes: as it was made, or decoded (RFC 9110, section 12.5.3).
 * `undefined` where neither can be had.
 */
export const decodedFor = async (
  response: HttpResponse,
  acceptEncoding: readonly string[],
): Promise<HttpResponse | undefined> => {
  const codings = listed(fieldLines(response.headers, 'content-encoding')).filter(
    (coding) => coding !== 'identity',
  )
  if (codings.every((coding) => accepts(acceptEncoding, coding))) return response
  let body = response.body
  for (const coding of codings.reverse()) {
    const decode = decoders.get(coding)
    if (decode === undefined) return undefined
    // Nothing is nothing in every coding, and no decoder's idea of an input.
    if (body.length === 0) continue
    try {
      body = await decode(body, { maxOutputLength: maxDecodedBody })
    } catch {
      return undefined
    }
  }
  const headers = response.headers
    .filter(([name]) => name.toLowerCase() !== 'content-encoding')
    .map(([name, value]) => [name, isEntityTag(name) ? weak(value) : value] as const)
  return { status: response.status, headers, body }
}

const listed = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => line.split(',')).map((entry) => entry.trim().toLowerCase())

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
