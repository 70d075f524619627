import { type RequestBody, restOfBody } from '../request.js'

/** The body of a request as the layer reads it: once, with a bound, and put back. */
export interface RequestBodyReader {
  /** The request to go on with. */
  readonly request: Request
  readonly readRest: (() => Promise<void>) | undefined
  read(limit: number): Promise<RequestBody>
  /** Remembers, of a body that is too large, that the client may still be sending it. */
  check(body: RequestBody): RequestBody
}

/** What was read of a request, by the request that was put in its place. */
const putBack = new WeakMap<Request, Uint8Array>()

export const createRequestBody = (
  given: Request,
  onRead: (request: Request) => void,
): RequestBodyReader => {
  let request = given
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let readRest: (() => Promise<void>) | undefined

  const take = (bytes: Uint8Array): void => {
    // The one that was read is spent for everybody else. It has none of its own now, so nothing is read twice.
    request = new Request(given, { body: bytes as Uint8Array<ArrayBuffer> })
    putBack.set(request, bytes)
    onRead(request)
  }

  /** At most one chunk over the limit; `undefined` where there is more than that. */
  const readUpTo = async (limit: number): Promise<Uint8Array | undefined> => {
    const chunks: Uint8Array[] = []
    let size = 0
    reader = given.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
    for (;;) {
      const next = await reader?.read()
      if (next === undefined || next.done) return Buffer.concat(chunks, size)
      chunks.push(next.value)
      size += next.value.length
      if (size > limit) return undefined
    }
  }

  return {
    get request() {
      return request
    },
    get readRest() {
      return readRest
    },
    read: async (limit) => {
      const before = putBack.get(given)
      if (before !== undefined) return sized(before, limit)
      const declared = given.headers.get('content-length')
      // Fields that were handed on from another request may say so of a body that is there.
      if (declared === '0' && (given.body === null || given.bodyUsed)) return { kind: 'empty' }
      if (Number(declared ?? 0) > limit) return { kind: 'too-large' }
      if (given.bodyUsed || given.body?.locked) return { kind: 'consumed' }
      // A server delivers no more than was declared, and reads it faster than by its stream.
      if (declared !== null) return sized(new Uint8Array(await given.arrayBuffer()), limit, take)
      if (given.body === null) return { kind: 'empty' }
      const bytes = await readUpTo(limit)
      return bytes === undefined ? { kind: 'too-large' } : sized(bytes, limit, take)
    },
    check: (body) => {
      if (body.kind === 'too-large') {
        readRest = () => {
          reader ??= unreadBody(given)
          return reader ? readAway(reader) : Promise.resolve()
        }
      }
      return body
    },
  }
}

const sized = (
  bytes: Uint8Array,
  limit: number,
  take: (bytes: Uint8Array) => void = () => {},
): RequestBody => {
  if (bytes.length > limit) return { kind: 'too-large' }
  take(bytes)
  return bytes.length === 0 ? { kind: 'empty' } : { kind: 'bytes', bytes }
}

const unreadBody = ({ body }: Request): ReadableStreamDefaultReader<Uint8Array> | undefined =>
  body === null || body.locked
    ? undefined
    : (body.getReader() as ReadableStreamDefaultReader<Uint8Array>)

/**
 * Reads away what a client is still sending, so that it comes to read the answer that was given early. Never
 * rejects: the answer is complete, and its end is all that is left.
 */
const readAway = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  const cut = (): void => void reader.cancel().catch(() => {})
  const timeout = setTimeout(cut, restOfBody.maxMs)
  let rest = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      rest += value.length
      if (rest > restOfBody.maxBytes) return cut()
    }
  } catch {
    // The client has gone.
  } finally {
    clearTimeout(timeout)
  }
}
