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
  const layer = createHttpIdempotency<Request>(options)

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
    const fail = (error: unknown): void => {
      request.idempotency ??= unprotectedExecution().execution
      next(error)
    }
    layer.begin(incoming).then((begun) => {
      request.idempotency = begun.http.execution
      switch (begun.kind) {
        case 'reply':
          sendReply(request, response, begun.reply)
          return
        case 'execute':
        case 'bypass':
          if (
            captureResponse(response, begun.http, {
              isUnmatched: (body) => isFinalHandlerAnswer(request, response, body),
            })
          ) {
            next()
          }
      }
    }, fail)
  }
  return Object.assign(middleware, {
    events: layer.events,
    purgeExpired: layer.purgeExpired,
    close: layer.close,
  })
}
