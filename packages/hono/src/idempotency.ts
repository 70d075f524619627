import {
  createHttpIdempotency,
  type Execution,
  type IdempotencyOptions,
  type Operations,
  unprotectedExecution,
} from '@retrysafe/core'
import { type AnswerCapture, captureAnswer, replyResponse } from '@retrysafe/core/fetch'
import type { Context, MiddlewareHandler, Next } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { honoRequest } from './hono-request.js'
import { isAnsweredElsewhere, type NodeExchange, nodeExchangeOf, peekOf } from './node-message.js'
import { give, headersSoFar, saveHead } from './response-head.js'
import { isUnmatched } from './unmatched.js'

/** What stands in `c.var` behind the layer. */
export interface IdempotencyVariables {
  /** This request's key, attempt and say in what becomes of its answer. There for every request behind the layer. */
  idempotency: Execution
}

/** The options of the layer; the callbacks get Hono's context. */
export type HonoOptions = IdempotencyOptions<Context>

/** The middleware, and what an operator wants of it. */
export type HonoIdempotency = MiddlewareHandler<{ Variables: IdempotencyVariables }> & Operations

const own = new WeakSet<object>()

/**
 * Lets a request take effect once, however often it is sent. On a route, an application or a sub-application, behind
 * authentication, in front of or behind what reads the body. Throws `OptionError`.
 *
 * @example
 * const once = idempotency({ store: sqliteStore('shop.db'), scope: (c) => accountOf(c.req) })
 * app.post('/orders', once, async (c) => c.json(await createOrder(await c.req.json()), 201))
 */
export const idempotency = (options: HonoOptions): HonoIdempotency => {
  const { begin, ...operations } = createHttpIdempotency<Context>(options)
  const keyField = (options.header ?? 'Idempotency-Key').toLowerCase()

  const middleware = async function idempotency(c: Context, next: Next): Promise<void> {
    const exchange = nodeExchangeOf(c, keyField)
    const wasAnswered = c.finalized
    const request = honoRequest(c, exchange)
    const begun = await begin(request).catch((error: unknown) => {
      if (c.get('idempotency') === undefined) c.set('idempotency', unprotectedExecution().execution)
      throw error
    })
    c.set('idempotency', begun.http.execution)
    /** Something in front of the layer, a time-out for one, has answered meanwhile. */
    const isLate = c.finalized !== wasAnswered
    if (begun.kind === 'reply') {
      const { readRest } = request
      if (!isLate) give(c, replyResponse(begun.reply, { outerHeaders: headersSoFar(c), readRest }))
      return
    }

    const capture = captureAnswer(begun.http, {
      outerHeaders: begun.kind === 'execute' ? headersSoFar(c) : [],
      saveHead: () => saveHead(c),
      isGone: () => exchange?.outgoing.destroyed ?? c.req.raw.signal.aborted,
      peek: (response) => peekOf(response, exchange),
    })
    if (isLate && begun.kind === 'execute') {
      // Nobody would get its answer, and nothing has happened yet: the key is free again.
      await begun.http.giveBack()
      return
    }
    try {
      await next()
    } catch (error) {
      const instead = await capture.unanswered(statusOf(error))
      if (instead === undefined) throw error
      give(c, instead)
      return
    }
    if (begun.kind === 'execute') await answer(c, capture, exchange)
  }
  own.add(middleware)
  return Object.assign(middleware, operations)
}

/** Gives what the handlers behind us have answered, errors of theirs included, when it may leave. */
const answer = async (
  c: Context,
  capture: AnswerCapture,
  exchange: NodeExchange | undefined,
): Promise<void> => {
  if (!c.finalized || isAnsweredElsewhere(c.res, exchange)) {
    // Without an answer Hono makes an error of it. One that went elsewhere cannot be had, and its effects have happened.
    const instead = await capture.unanswered(c.finalized ? 200 : 500)
    if (instead !== undefined) give(c, instead)
    return
  }
  const given = c.res
  try {
    const unmatched = given.status === 404 && isUnmatched(c, (handler) => own.has(handler))
    const leaving = await capture.answer(given, { unmatched })
    if (leaving !== given) give(c, leaving)
  } catch (error) {
    // What the error handling answers must not inherit the fields of what has failed.
    c.res = undefined
    throw error
  }
}

/** An error that Hono's own handling has not seen yet: what it will make of it, as far as the error says. */
const statusOf = (error: unknown): number => (error instanceof HTTPException ? error.status : 500)
