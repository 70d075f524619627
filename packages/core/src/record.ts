import { createHash } from 'node:crypto'
import { StoreError } from './errors.js'
import { type HttpResponse, isField } from './response.js'

/** What a completed record holds. `…-not-stored`: it has happened, but its answer cannot be given again. */
export type StoredResult =
  | { readonly kind: 'response'; readonly response: HttpResponse }
  | { readonly kind: 'response-not-stored'; readonly location: string | undefined }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'value-not-stored' }

const version = 1
const checksumBytes = 8
const kindAt = 1 + checksumBytes
const headAt = kindAt + 1 + 4
const kinds = ['response', 'response-not-stored', 'value', 'value-not-stored'] as const

/**
 * One version byte, a checksum over all that follows it, one byte for the kind, the length of the head, the
 * head as JSON, and the body as it is.
 */
export const encodeResult = (result: StoredResult): Uint8Array => {
  const head = Buffer.from(JSON.stringify(headOf(result)) ?? '', 'utf8')
  const body = result.kind === 'response' ? result.response.body : new Uint8Array()
  const bytes = Buffer.alloc(headAt + head.length + body.length)
  bytes[0] = version
  bytes[kindAt] = kinds.indexOf(result.kind)
  bytes.writeUInt32BE(head.length, kindAt + 1)
  bytes.set(head, headAt)
  bytes.set(body, headAt + head.length)
  bytes.set(checksum(bytes), 1)
  return bytes
}

/** Rejects, as a store error, everything that this version did not write whole. */
export const decodeResult = (result: Uint8Array): StoredResult => {
  const bytes = Buffer.from(result.buffer, result.byteOffset, result.byteLength)
  if (bytes.length < headAt) throw unreadable('it is truncated')
  if (bytes[0] !== version) throw unreadable(`it is of version ${bytes[0]}`)
  if (checksum(bytes).compare(bytes, 1, kindAt) !== 0) throw unreadable('its checksum is wrong')
  const kind = kinds[bytes[kindAt] ?? -1]
  const bodyAt = headAt + bytes.readUInt32BE(kindAt + 1)
  if (kind === undefined || bodyAt > bytes.length) throw unreadable('its parts do not fit')
  const head = parse(bytes.toString('utf8', headAt, bodyAt))
  switch (kind) {
    case 'response':
      return { kind, response: readResponse(head, bytes.subarray(bodyAt)) }
    case 'response-not-stored':
      return { kind, location: typeof head === 'string' ? head : undefined }
    case 'value':
      return { kind, value: head }
    case 'value-not-stored':
      return { kind }
  }
}

/** Whether a result tells no more than that something has happened. */
export const holdsNothing = (result: StoredResult): boolean =>
  result.kind === 'value-not-stored' ||
  (result.kind === 'response-not-stored' && result.location === undefined)

/** Whether a status can be the final answer to a request (RFC 9110, section 15). */
export const isFinalStatus = (status: unknown): status is number =>
  Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599

const readResponse = (head: unknown, body: Uint8Array): HttpResponse => {
  const [status, headers] = Array.isArray(head) ? head : []
  if (!isFinalStatus(status)) throw unreadable('its status is none of HTTP')
  if (!Array.isArray(headers) || !headers.every(isField))
    throw unreadable('its headers are none of HTTP')
  return { status, headers, body }
}

const headOf = (result: StoredResult): unknown => {
  switch (result.kind) {
    case 'response':
      return [result.response.status, result.response.headers]
    case 'response-not-stored':
      return result.location ?? null
    case 'value':
      return result.value
    case 'value-not-stored':
      return null
  }
}

const parse = (text: string): unknown => {
  // A function's answer may be undefined, for which JSON has no word.
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw unreadable('its head is not JSON', cause)
  }
}

const checksum = (bytes: Buffer): Buffer =>
  createHash('sha256').update(bytes.subarray(kindAt)).digest().subarray(0, checksumBytes)

/** What a record is refused with that this version cannot judge. */
export const unreadable = (why: string, cause?: unknown): StoreError =>
  new StoreError('store-unavailable', `The record cannot be read: ${why}.`, {
    cause,
    unreadable: true,
  })
