import type { Context } from 'hono'
import { matchedRoutes } from 'hono/route'

/** How Hono marks the handler of a sub-application that it has wrapped. */
const wrapped = '__COMPOSED_HANDLER'

/**
 * Whether no route took the request, and its 404 is the framework's. Hono does not say so. What tells is that the last
 * of what matched was reached, and that it is a middleware, which can only have passed the request on: registered for
 * all methods, and with a `next` among its parameters.
 *
 * Such a middleware that answers 404 itself is taken for an unmatched route, and so is one of an application
 * under `mount()`; a `use()` in a route's own method (`app.post(path, middleware)` and nothing behind it) is taken for a
 * handler. `isOwn` knows the layer.
 */
export const isUnmatched = (c: Context, isOwn: (handler: object) => boolean): boolean => {
  const routes = matchedRoutes(c)
  const last = routes.at(-1)
  if (last === undefined || c.req.routeIndex < routes.length - 1) return false
  let handler: { length: number; [wrapped]?: typeof handler } = last.handler
  while (handler[wrapped] !== undefined) handler = handler[wrapped]
  return isOwn(handler) || (last.method === 'ALL' && handler.length >= 2)
}
