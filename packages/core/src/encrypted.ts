import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Codec } from './codec.js'
import { OptionError } from './errors.js'

export interface EncryptionOptions {
  /**
   * Every key that records may have been written with, 32 bytes each, by a short name that is stored beside what
   * it encrypts. A key that is taken out makes its records unreadable.
   */
  readonly keys: Readonly<Record<string, Uint8Array>>
  /** The name of the key that new records are written with. */
  readonly current: string
  /** Whether records written before there was encryption are still read; they could be forged. @default 'refuse' */
  readonly plain?: 'refuse' | 'read'
}

const algorithm = 'aes-256-gcm'
const keyBytes = 32
/** NIST SP 800-38D, section 8.2.2: random, 96 bits; no more than 2^32 records under one key (8.3). */
const nonceBytes = 12
const tagBytes = 16
const longestName = 32

/**
 * A codec that encrypts what is stored with AES-256-GCM. Each record is bound to its own key: moved to another,
 * or changed in any bit, it cannot be read. To rotate, add a key and make it `current`; take the old one out when
 * the retention of its last record is over. Throws `OptionError`.
 *
 * @example
 * idempotency({ store, scope, codec: encrypted({ keys: { '2026': key }, current: '2026' }) })
 */
export const encrypted = ({ keys, current, plain = 'refuse' }: EncryptionOptions): Codec => {
  const ring = keyRing(keys, plain)
  const currentKey = ring.get(current)
  if (currentKey === undefined) {
    throw new OptionError(
      '"current" to be the name of one of "keys"',
      'another name',
      'New records are written with it.',
    )
  }
  const name = Buffer.from(current, 'utf8')
  const header = Buffer.concat([Uint8Array.of(name.length), name])

  return {
    synchronous: true,
    readsPlain: plain === 'read',
    encode: (bytes, { recordKey }) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, currentKey, nonce)
      cipher.setAAD(boundTo(recordKey))
      const content = [cipher.update(bytes), cipher.final()]
      return Buffer.concat([header, nonce, cipher.getAuthTag(), ...content])
    },
    decode: (bytes, { recordKey }) => {
      const nonceAt = 1 + (bytes[0] ?? 0)
      const tagAt = nonceAt + nonceBytes
      const key = ring.get(Buffer.from(bytes.subarray(1, nonceAt)).toString('utf8'))
      if (key === undefined) throw new Error('The key of this record is not among "keys".')
      const nonce = bytes.subarray(nonceAt, tagAt)
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      decipher.setAAD(boundTo(recordKey))
      decipher.setAuthTag(bytes.subarray(tagAt, tagAt + tagBytes))
      return Buffer.concat([decipher.update(bytes.subarray(tagAt + tagBytes)), decipher.final()])
    },
  }
}

const keyRing = (
  keys: EncryptionOptions['keys'],
  plain: EncryptionOptions['plain'],
): ReadonlyMap<string, Buffer> => {
  const entries = typeof keys === 'object' && keys !== null ? Object.entries(keys) : []
  // Copies, lest who wipes his own wipes ours; and never a key in a message.
  const ring = new Map(entries.map(([name, key]) => [name, isKey(key) && Buffer.from(key)]))
  const isRight = [...ring].every(
    ([name, key]) => key && name !== '' && Buffer.byteLength(name) <= longestName,
  )
  if (ring.size === 0 || !isRight) {
    throw new OptionError(
      `"keys" to be an object of keys, ${keyBytes} bytes each, by names of 1 to ${longestName} bytes`,
      'something else',
      'Records are encrypted with AES-256.',
    )
  }
  if (plain !== 'refuse' && plain !== 'read') {
    throw new OptionError(
      `"plain" to be 'refuse' or 'read'`,
      'something else',
      'It decides whether a record that anybody can have written is replayed.',
    )
  }
  return ring as ReadonlyMap<string, Buffer>
}

const isKey = (key: unknown): key is Uint8Array =>
  key instanceof Uint8Array && key.length === keyBytes

const boundTo = (recordKey: string): Buffer => Buffer.from(`retrysafe:${recordKey}`, 'utf8')
