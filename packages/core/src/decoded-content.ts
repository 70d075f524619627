import { constants } from 'node:buffer'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'

type Decode = (content: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>

const gunzip = promisify(zlib.gunzip) as Decode

const decoders = new Map<string, Decode>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  // With its zlib wrapper only (RFC 9110, section 8.4.1.2), as Express's parsers take it.
  ['deflate', promisify(zlib.inflate) as Decode],
  ['br', promisify(zlib.brotliDecompress) as Decode],
])

/** What the lines of a field list, in lower case and in order. */
export const listed = (lines: readonly string[]): string[] =>
  lines
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')

/** The codings of a Content-Encoding field, in the order they were applied; `identity` is none. */
export const codingsOf = (contentEncoding: readonly string[]): string[] =>
  listed(contentEncoding).filter((coding) => coding !== 'identity')

/**
 * Content before its codings were applied. `undecodable` where it is broken or a coding is unknown; `too-large`
 * where it unfolds to more than `limit` bytes, and then no more than those have been made of it.
 */
export const decodedContent = async (
  content: Uint8Array,
  codings: readonly string[],
  limit: number,
): Promise<Uint8Array | 'undecodable' | 'too-large'> => {
  const steps = codings.map((coding) => decoders.get(coding)).reverse()
  const maxOutputLength = Math.min(limit, constants.MAX_LENGTH)
  let decoded = content
  for (const decode of steps) if (decode === undefined) return 'undecodable'
  for (const decode of steps) {
    // Nothing is nothing in every coding, and no decoder's idea of an input.
    if (decode === undefined || decoded.length === 0) break
    try {
      decoded = await decode(decoded, { maxOutputLength })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'undecodable'
    }
  }
  return decoded
}
