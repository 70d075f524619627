import {
  createHttpIdempotency,
  type Execution,
  type IdempotencyOptions,
  type Operations,
  unprotectedExecution,
} from '@retrysafe/core'
import { sendReply } from '@retrysafe/core/node'
import type { Context, Next } from 'koa'
import { runCaptured } from './captured-run.js'
import { contextRequest } from './context-request.js'

declare module 'koa' {
  interface DefaultState {
    /** This request's key, attempt and say in what becomes of its answer. There for every request behind the layer. */
    idempotency: Execution
  }
}

/** The options of the layer; the callbacks get Koa's context. */
export type KoaOptions = IdempotencyOptions<Context>

/** The middleware, and what an operator wants of it. */
export interface KoaIdempotency extends Operations {
  (ctx: Context, next: Next): Promise<void>
}

/**
 * Lets a request take effect once, however often it is sent. For Koa 2 and 3; on a route, a router or an
 * application, behind authentication, in front of or behind the body parsers. Throws `OptionError`.
 *
 * @example
 * const once = idempotency({ store: sqliteStore('shop.db'), scope: (ctx) => accountOf(ctx) })
 * router.post('/orders', once, async (ctx) => {
 *   ctx.status = 201
 *   ctx.body = await createOrder(ctx.request.body)
 * })
 */
export const idempotency = (options: KoaOptions): KoaIdempotency => {
  const { begin, ...operations } = createHttpIdempotency<Context>(options)

  const middleware = async function idempotency(ctx: Context, next: Next): Promise<void> {
    const begun = await begin(contextRequest(ctx)).catch((error: unknown) => {
      ctx.state.idempotency ??= unprotectedExecution().execution
      throw error
    })
    const { http } = begun
    ctx.state.idempotency = http.execution
    switch (begun.kind) {
      case 'reply':
        // Past Koa, and at once: what is stored is what left for the first client, with all that middleware in front of
        // the layer had made of it on its way out. Given as `ctx.body` it would be enveloped or packed a second time.
        ctx.respond = false
        sendReply(ctx.req, ctx.res, begun.reply)
        return
      case 'execute':
        return runCaptured(ctx, http, next)
      case 'bypass':
        // A second mount: the first has the capture.
        if (http.execution.protected) await next()
        else await runCaptured(ctx, http, next)
    }
  }
  return Object.assign(middleware, operations)
}
