import { type HeaderPairs, type HttpResponse, hasNoContent } from '../response.js'

export interface ReplyOptions {
  /** What was set in front of the layer: it stays, unless the reply has the same field. */
  readonly outerHeaders?: HeaderPairs
  /** Reads away what the client is still sending, as `fetchRequest` offers it. */
  readonly readRest?: (() => Promise<void>) | undefined
}

/** A finished answer of the layer as a `Response`. */
export const replyResponse = (
  { status, headers, body }: HttpResponse,
  { outerHeaders = [], readRest }: ReplyOptions = {},
): Response => {
  const own = new Set(headers.map(([name]) => name.toLowerCase()))
  const outer = outerHeaders.filter(([name]) => !own.has(name.toLowerCase()))
  const all = [...outer, ...headers]
  if (hasNoContent(status) || body.length === 0) {
    return new Response(null, { status, headers: initOf(all) })
  }
  const bytes = body as Uint8Array<ArrayBuffer>
  if (readRest === undefined) return new Response(bytes, { status, headers: initOf(all) })
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes),
    pull: async (controller) => {
      await readRest()
      controller.close()
    },
  })
  // By its length the client knows the answer as whole, while the end is kept back: that may close the connection,
  // and a client that is still sending would lose what it has not read.
  const length = ['Content-Length', String(bytes.length)] as const
  return new Response(stream, { status, headers: initOf([...all, length]) })
}

/**
 * An object where that can hold them: it costs least, and servers send it as it stands. With `Headers`, one of them adds
 * a media type to an answer that has none.
 */
const initOf = (pairs: HeaderPairs): Record<string, string> | [string, string][] => {
  const names = new Set(pairs.map(([name]) => name.toLowerCase()))
  return names.size === pairs.length
    ? Object.fromEntries(pairs)
    : pairs.map(([name, value]): [string, string] => [name, value])
}
