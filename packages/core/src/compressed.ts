import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Codec } from './codec.js'
import { OptionError } from './errors.js'

export interface CompressionOptions {
  /** What is shorter is stored as it is, in bytes. @default 1_024 */
  readonly fromBytes?: number
  /** From 1, the fastest, to 9, the smallest. @default 1 */
  readonly level?: number
}

const asItIs = 0
const deflated = 1

/** A small record can unfold to a great one; this is where that ends, in bytes. What is longer is stored as it is. */
const maxOutputLength = 64 * 1024 * 1024

/**
 * A codec that stores answers deflated (RFC 1951), where that makes them shorter. In front of `encrypted()`, the
 * length of a stored answer tells a little of what is in it. Throws `OptionError`.
 *
 * @example
 * idempotency({ store, scope, codec: compressed() })
 */
export const compressed = ({ fromBytes = 1_024, level = 1 }: CompressionOptions = {}): Codec => {
  requireWhole(
    'fromBytes',
    fromBytes,
    Number.MAX_SAFE_INTEGER,
    'What is shorter is not compressed.',
  )
  requireWhole('level', level, 9, 'It is that of deflate.')
  return {
    synchronous: true,
    readsPlain: true,
    encode: (bytes) => {
      const isWorthwhile = bytes.length >= fromBytes && bytes.length <= maxOutputLength
      const shorter = isWorthwhile ? deflateRawSync(bytes, { level }) : bytes
      return shorter.length < bytes.length
        ? Buffer.concat([Uint8Array.of(deflated), shorter])
        : Buffer.concat([Uint8Array.of(asItIs), bytes])
    },
    decode: (bytes) => {
      const content = bytes.subarray(1)
      if (bytes[0] === asItIs) return content
      if (bytes[0] !== deflated) throw new Error('These bytes are not of this codec.')
      return inflateRawSync(content, { maxOutputLength })
    },
  }
}

const requireWhole = (name: string, value: unknown, most: number, why: string): void => {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return
  throw new OptionError(`"${name}" to be a whole number from 1 to ${most}`, String(value), why)
}
