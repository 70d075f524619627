import type { IncomingMessage } from 'node:http'
import { type RequestBody, restOfBody } from '../request.js'

/** What has been buffered of a message and put back, for whoever asks again. */
const buffered = new WeakMap<IncomingMessage, Uint8Array>()

/** What a parser in front of the layer has left: its value, and the bytes where it has kept them. */
export interface ReadBefore {
  readonly parsed: unknown
  readonly raw: unknown
}

/** The body of a message, which stays readable for every parser behind the layer. */
export const readBody = async (
  message: IncomingMessage,
  { parsed, raw: kept }: ReadBefore,
  limit: number,
): Promise<RequestBody> => {
  if (!hasBody(message)) return { kind: 'empty' }
  if (Number(message.headers['content-length'] ?? 0) > limit) return { kind: 'too-large' }
  // Chunked, and without a byte to its end, whatever a parser has put in its place.
  if (message.readableEnded && !message.readableDidRead) return { kind: 'empty' }
  const raw = kept ?? buffered.get(message)
  if (raw instanceof Uint8Array) {
    return raw.length > limit ? { kind: 'too-large' } : { kind: 'bytes', bytes: raw }
  }
  const isRead = message.readableDidRead || message.readableEnded || message.destroyed
  // Express's parsers mark what they have read; an empty object without the mark is only their default.
  const isParsed = (message as { _body?: unknown })._body === true || isRead
  if (isParsed && parsed !== undefined && !isLeftover(message, parsed)) {
    return { kind: 'parsed', value: parsed }
  }
  if (isRead) return { kind: 'consumed' }
  return bufferBody(message, limit)
}

/** The empty object that Express 4 puts in place of a body it has not read, and that something else has. */
const isLeftover = (message: IncomingMessage, parsed: unknown): boolean =>
  (message as { _body?: unknown })._body !== true &&
  Number(message.headers['content-length'] ?? Number.POSITIVE_INFINITY) > 2 &&
  typeof parsed === 'object' &&
  parsed !== null &&
  Object.getPrototypeOf(parsed) === Object.prototype &&
  Object.keys(parsed).length === 0

/** RFC 9112, section 6.3: a request has a body where it declares one. From HTTP/2 on it declares none. */
const hasBody = ({ headers, httpVersionMajor }: IncomingMessage): boolean =>
  httpVersionMajor > 1 ||
  headers['transfer-encoding'] !== undefined ||
  Number(headers['content-length'] ?? 0) > 0

/** Whether all of it has come. A message of HTTP/2 says so itself only when it has been read. */
const isWhole = (message: IncomingMessage): boolean =>
  message.complete ||
  (message.httpVersionMajor > 1 &&
    (message as { stream?: { readableEnded?: boolean } }).stream?.readableEnded === true)

const bufferBody = (message: IncomingMessage, limit: number): Promise<RequestBody> =>
  new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0

    const stop = (): void => {
      message.off('readable', onReadable).off('error', onError).off('close', onClose)
    }
    const onError = (error: unknown): void => {
      stop()
      reject(error)
    }
    const onClose = (): void =>
      onError(new Error('The client went away before its request was whole.'))
    const onReadable = (): void => {
      // Not read() on an empty stream: at its end that emits `end`, and a parser behind us would wait for it for ever.
      while (message.readableLength > 0) {
        const chunk: Uint8Array | null = message.read()
        if (chunk === null) break
        chunks.push(chunk)
        size += chunk.length
        if (size > limit) {
          stop()
          resolve({ kind: 'too-large' })
          return
        }
      }
      if (!isWhole(message)) return
      stop()
      const bytes = Buffer.concat(chunks, size)
      // In this very turn: after it the stream has ended, and nothing can be put back.
      if (size > 0) message.unshift(bytes)
      buffered.set(message, bytes)
      resolve(size === 0 ? { kind: 'empty' } : { kind: 'bytes', bytes })
    }

    if (isWhole(message) && message.readableLength === 0) {
      resolve({ kind: 'empty' })
      return
    }
    message.on('error', onError).on('close', onClose).on('readable', onReadable)
  })

/**
 * Reads away what a client is still sending, so that it comes to read the answer that was given early. Without
 * an end of its own, such a body costs a connection, not the server.
 */
export const readAwayRest = (message: IncomingMessage, whenRead: () => void): void => {
  let rest = 0
  const cut = (): void => void message.socket.destroy()
  const timeout = setTimeout(cut, restOfBody.maxMs)
  timeout.unref()
  message
    .on('data', (chunk: Uint8Array) => {
      rest += chunk.length
      if (rest > restOfBody.maxBytes) cut()
    })
    .on('error', () => {})
    .once('close', () => clearTimeout(timeout))
    .once('end', () => {
      clearTimeout(timeout)
      whenRead()
    })
  message.resume()
}
