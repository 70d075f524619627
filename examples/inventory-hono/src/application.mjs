// @ts-check
import { setTimeout } from 'node:timers/promises'
import { answer } from '@retrysafe/core'
import {
  invalidAdjustment,
  replyTo,
  unauthenticated,
  unknownAdjustment,
  unknownSku,
} from '@retrysafe/example-inventory/reply'
import { isAdjustment } from '@retrysafe/example-inventory/stock'
import { supplierOf } from '@retrysafe/example-inventory/supplier'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'

/**
 * The API. An adjustment is made once, however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import('@retrysafe/example-inventory/stock').openStock>} parts.stock
 * @param {import('@retrysafe/example-inventory/store').Store} parts.store
 * @param {import('@retrysafe/hono').HonoIdempotency} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 */
export const createApplication = ({ stock, store, once, workMs }) => {
  const app = new Hono()

  app.post('/adjustments', requireSupplier, parseJson, once, async (c) => {
    const { body } = c.var
    if (!isAdjustment(body)) return toAnswer(invalidAdjustment())
    const { sku, delta } = body
    await setTimeout(workMs)
    if ('transaction' in store) {
      // One database: the adjustment and the record of its key are committed together, or neither is.
      return store.transaction(c.var.idempotency, () => toAnswer(replyTo(stock.adjust(sku, delta))))
    }
    // The record is elsewhere and comes later, or never: an attempt after that derives the same key, and finds the
    // adjustment made.
    const derivedKey = c.var.idempotency.derivedKey('adjustment')
    return toAnswer(replyTo(stock.adjustOnce(sku, delta, derivedKey)))
  })

  app.get('/adjustments', (c) => c.json(stock.adjustments()))

  app.get('/adjustments/:id', (c) => {
    const id = c.req.param('id')
    const adjustment = stock.adjustment(id)
    return adjustment ? c.json(adjustment) : toAnswer(unknownAdjustment(id))
  })

  app.get('/stock/:sku', (c) => {
    const sku = c.req.param('sku')
    const item = stock.find(sku)
    return item ? c.json(item) : toAnswer(unknownSku(sku))
  })

  return app
}

const requireSupplier = createMiddleware(async (c, next) => {
  if (!supplierOf(c.req.header('authorization'))) return toAnswer(unauthenticated())
  await next()
})

/** What cannot be parsed is refused in front of the layer, as a body parser does it: it leaves no record. */
const parseJson = createMiddleware(
  /** @type {import('hono').MiddlewareHandler<{ Variables: { body: unknown } }>} */
  async (c, next) => {
    try {
      const isJson = /^application\/json\b/i.test(c.req.header('content-type') ?? '')
      const text = await c.req.text()
      c.set('body', isJson && text !== '' ? JSON.parse(text) : undefined)
    } catch {
      return toAnswer(invalidAdjustment())
    }
    await next()
  },
)

/** A `Response` like any other, and one that the work of a transaction can return. */
/** @param {import('@retrysafe/example-inventory/reply').Reply} reply */
const toAnswer = ({ status, headers, body }) => answer(status, body, headers)
