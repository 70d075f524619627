import {
  createHttpIdempotency,
  type Execution,
  type IdempotencyOptions,
  type Operations,
  unprotectedExecution,
} from '@retrysafe/core'
import { captureResponse, nodeRequest, sendReply } from '@retrysafe/core/node'
import type { NextFunction, Request, Response } from 'express'
import { isFinalHandlerAnswer } from './final-handler.js'

declare global {
  namespace Express {
    interface Request {
      /** This request's key, attempt and say in what becomes of its answer. There for every request behind the layer. */
      idempotency: Execution
    }
  }
}

/** The options of the layer; the callbacks get Express's request. */
export type ExpressOptions = IdempotencyOptions<Request>

/** The middleware, and what an operator wants of it. */
export interface ExpressIdempotency extends Operations {
  (request: Request, response: Response, next: NextFunction): void
}

/**
 * Lets a request take effect once, however often it is sent. For Express 4 and 5; on a route, a router or an
 * application, behind authentication, in front of or behind the body parsers. Throws `OptionError`.
 *
 * @example
 * const once = idempotency({ store: sqliteStore('shop.db'), scope: (req) => accountOf(req) })
 * app.post('/orders', once, async (req, res) => {
 *   res.status(201).json(await createOrder(req.body))
 * })
 */
export const idempotency = (options: ExpressOptions): ExpressIdempotency => {
  const { begin, ...operations } = createHttpIdempotency<Request>(options)

  const middleware = function idempotency(
    request: Request,
    response: Response,
    next: NextFunction,
  ): void {
    const incoming = nodeRequest({
      native: request,
      message: request,
      target: request.originalUrl,
    })
    begin(incoming)
      .then((begun): boolean => {
        request.idempotency = begun.http.execution
        switch (begun.kind) {
          case 'reply':
            sendReply(request, response, begun.reply)
            return false
          case 'execute':
          case 'bypass':
            return captureResponse(response, begun.http, {
              isUnmatched: (body) => isFinalHandlerAnswer(request, response, body),
            })
        }
      })
      .then(
        (mayRun) => {
          // Outside of the promise: what next() throws is an error of the application's, not ours to report again.
          if (mayRun) process.nextTick(next)
        },
        (error: unknown) => {
          request.idempotency ??= unprotectedExecution().execution
          // For Express nothing is no error, and the handler would run.
          process.nextTick(next, error || new Error('Something threw, and said nothing.'))
        },
      )
  }
  return Object.assign(middleware, operations)
}
