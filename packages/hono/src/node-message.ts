import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestBody } from '@retrysafe/core'
import type { PeekedAnswer } from '@retrysafe/core/fetch'
import { nodeRequest } from '@retrysafe/core/node'
import type { Context } from 'hono'
import { getPath } from 'hono/utils/url'

/** What @hono/node-server hands to an application beside the `Request`. */
export interface NodeExchange {
  readonly incoming: IncomingMessage & { readonly originalUrl?: string }
  readonly outgoing: ServerResponse
}

/** What the contexts belong to that the layer has met; a middleware between two mounts may put another request in. */
const met = new WeakMap<Context, NodeExchange>()

/**
 * The message that a request came as, where it did. An application that calls another in its own process may hand on
 * its `env`, and its headers too, with a request that is quite another one.
 */
export const nodeExchangeOf = (c: Context, keyField: string): NodeExchange | undefined => {
  const { incoming, outgoing } = (c.env ?? {}) as Partial<NodeExchange>
  if (!Array.isArray(incoming?.rawHeaders) || outgoing === undefined) return undefined
  const before = met.get(c)
  if (before !== undefined) return before
  const isIts =
    markOf(c.req.raw, 'incomingKey') === incoming || isLike(c.req.raw, incoming, keyField)
  if (!isIts) return undefined
  const exchange = { incoming, outgoing }
  met.set(c, exchange)
  return exchange
}

/**
 * Whether a request can be the message under another object: with its body read, with another method, or without the
 * prefix of a mount. A call in the process is on another host, unless it was made from the URL of this very request.
 */
const isLike = (
  request: Request,
  incoming: NodeExchange['incoming'],
  keyField: string,
): boolean => {
  const isSame = (name: string): boolean =>
    (request.headers.get(name) ?? undefined) === incoming.headers[name]
  if (!isSame('host') || !isSame(keyField)) return false
  const its = new URL(request.url)
  const sent = urlOf(incoming, its.protocol)
  if (sent?.host !== its.host || sent.search !== its.search) return false
  const path = getPath({ url: its.href } as Request)
  return path === '/' || getPath({ url: sent.href } as Request).endsWith(path)
}

/** Where a message was sent to, as the server reads it. */
const urlOf = (
  { originalUrl, url = '', headers }: NodeExchange['incoming'],
  protocol: string,
): URL | undefined => {
  const target = originalUrl ?? url
  const host = headers.host ?? headers[':authority'] ?? 'localhost'
  const whole = target.startsWith('/') ? `${protocol}//${host}${target}` : target
  return URL.canParse(whole) ? new URL(whole) : undefined
}

/**
 * The body read from the message itself, for a request that is still as the server made it: then nothing has to be
 * put in its place, since the server takes the body that it finds as `rawBody`. `undefined` where it is not.
 */
export const bodyOfMessage = async (
  request: Request,
  { incoming }: NodeExchange,
  limit: number,
): Promise<RequestBody | undefined> => {
  if (markOf(request, 'incomingKey') !== incoming) return undefined
  // Once the server has made a real `Request` of it, that one reads.
  const isUntouched = markOf(request, 'requestCache') === undefined
  const held = incoming as { rawBody?: unknown }
  if (!(held.rawBody instanceof Buffer) && !isUntouched) return undefined
  const body = await nodeRequest({ native: request, message: incoming }).readBody(limit)
  if (body.kind === 'bytes' && held.rawBody === undefined) held.rawBody = body.bytes
  return body
}

/** What the server sends where an answer with content names no media type. */
const defaultType = 'text/plain; charset=UTF-8'

/**
 * What the server's own `Response` was made of, as long as nobody has read it; with the media type that the client
 * will see, so that a replay has it too.
 */
export const peekOf = (
  response: Response,
  exchange: NodeExchange | undefined,
): PeekedAnswer | undefined => {
  const made = markOf(response, 'cache')
  const isPeeked = Array.isArray(made) && typeof made[0] === 'number'
  if (!isPeeked) {
    if (exchange === undefined || response.headers.has('content-type') || response.body === null)
      return undefined
    return { headers: typed(response.headers), body: undefined }
  }
  const [, body, headers] = made
  if (headers === undefined) return { headers: body === null ? {} : typed(), body }
  const isSentAsItIs = !(headers instanceof Headers || Array.isArray(headers))
  if (body === null || isSentAsItIs || exchange === undefined) return { headers, body }
  return { headers: typed(headers), body }
}

const typed = (given?: Headers | [string, string][]): Headers | Record<string, string> => {
  if (given === undefined) return { 'Content-Type': defaultType }
  const headers = new Headers(given)
  if (!headers.has('content-type')) headers.set('content-type', defaultType)
  return headers
}

/** Whether a handler has said that it answers on Node's own response, past Hono. */
const isAnsweredByHand = (response: Response): boolean => {
  const peeked = peekOf(response, undefined)
  if (peeked && peeked.body !== null) return false
  const headers = peeked ? new Headers(peeked.headers) : response.headers
  return headers.has('x-hono-already-sent')
}

/**
 * Whether this answer is not the one that the handler behind us has returned: something in front of the layer, a
 * time-out for one, has answered meanwhile, or the handler itself has, past Hono. An error that was thrown after that is
 * told by its status.
 */
export const isAnsweredElsewhere = (
  response: Response,
  exchange: NodeExchange | undefined,
): boolean => {
  if (exchange === undefined) return response.bodyUsed
  const { headersSent, statusCode } = exchange.outgoing
  return (headersSent && statusCode === response.status) || isAnsweredByHand(response)
}

/** The server keeps its own under symbols that it does not export. */
const markOf = (object: object, description: string): unknown => {
  const symbol = Object.getOwnPropertySymbols(object).find((own) => own.description === description)
  return symbol && (object as Record<symbol, unknown>)[symbol]
}
