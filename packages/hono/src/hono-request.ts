import { type FetchRequest, fetchRequest } from '@retrysafe/core/fetch'
import { nodeRequest } from '@retrysafe/core/node'
import type { Context } from 'hono'
import { bodyInCache } from './body-cache.js'
import { bodyOfMessage, type NodeExchange } from './node-message.js'

/** What stands for a request at every mount, by its contexts and by every `Request` that it went on with. */
const carriers = new WeakMap<object, object>()

/**
 * Sub-applications under `route()` share the context, `mount()` may share the `Request`, and the layer or a body limit
 * puts another in its place. On Node the message is the same throughout.
 */
const carrierOf = (c: Context): object => {
  const carrier = carriers.get(c) ?? carriers.get(c.req.raw) ?? c
  carriers.set(c, carrier).set(c.req.raw, carrier)
  return carrier
}

/** Core's view of a request in Hono. */
export const honoRequest = (
  c: Context,
  exchange: NodeExchange | undefined,
): FetchRequest<Context> => {
  const { raw } = c.req
  const carrier = exchange?.incoming ?? carrierOf(c)
  const message = exchange && nodeRequest({ native: c, message: exchange.incoming })
  return fetchRequest({
    native: c,
    request: raw,
    carrier,
    ...(exchange &&
      message && {
        target: exchange.incoming.originalUrl ?? message.target,
        rawLines: message.fieldLines,
      }),
    bodyInFront: async (limit) => {
      const cached = await bodyInCache(c.req)
      if (cached === undefined) return exchange && bodyOfMessage(raw, exchange, limit)
      const isLarge = cached.kind === 'bytes' && cached.bytes.length > limit
      return isLarge ? { kind: 'too-large' } : cached
    },
    onRead: (request) => {
      c.req.raw = request
      carriers.set(request, carrier)
    },
  })
}
