import type { IncomingRequest } from '@retrysafe/core'
import { nodeRequest } from '@retrysafe/core/node'
import type { Context } from 'koa'

/** What parsers leave on Koa's request. */
interface ParsedRequest {
  readonly body?: unknown
  readonly rawBody?: unknown
}

/** Core's view of Koa's request. */
export const contextRequest = (ctx: Context): IncomingRequest<Context> =>
  nodeRequest({
    native: ctx,
    message: ctx.req,
    // As sent: routers and mounts shorten the other; Express does it to Koa where it has mounted it.
    target: (ctx.req as { originalUrl?: string }).originalUrl ?? ctx.originalUrl,
    parsed: () => (ctx.request as ParsedRequest).body,
    raw: () => rawBody(ctx),
  })

/** The bytes, where `@koa/bodyparser` has left its text, unpacked, beside the value. */
const rawBody = (ctx: Context): unknown => {
  const text = (ctx.request as ParsedRequest).rawBody
  return typeof text === 'string' ? Buffer.from(text) : (ctx.req as { rawBody?: unknown }).rawBody
}
