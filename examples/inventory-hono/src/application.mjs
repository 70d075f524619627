// @ts-check
import { setTimeout } from 'node:timers/promises'
import { answer } from '@retrysafe/core'
import { isAdjustment } from '@retrysafe/example-inventory/adjustment'
import {
  invalidAdjustment,
  replyTo,
  unauthenticated,
  unknownAdjustment,
  unknownSku,
} from '@retrysafe/example-inventory/reply'
import { supplierOf } from '@retrysafe/example-inventory/supplier'
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'

/**
 * The API. An adjustment is made once, however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {import('@retrysafe/example-inventory/books').Books} parts.books
 * @param {import('@retrysafe/hono').HonoIdempotency} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 */
export const createApplication = ({ books, once, workMs }) => {
  const app = new Hono()

  app.post('/adjustments', requireSupplier, parseJson, once, async (c) => {
    const { body } = c.var
    if (!isAdjustment(body)) return toAnswer(invalidAdjustment())
    await setTimeout(workMs)
    return books.adjust(c.var.idempotency, body, (outcome) => toAnswer(replyTo(outcome)))
  })

  app.get('/adjustments', async (c) => c.json(await books.adjustments()))

  app.get('/adjustments/:id', async (c) => {
    const id = c.req.param('id')
    const adjustment = await books.adjustment(id)
    return adjustment ? c.json(adjustment) : toAnswer(unknownAdjustment(id))
  })

  app.get('/stock/:sku', async (c) => {
    const sku = c.req.param('sku')
    const item = await books.find(sku)
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
