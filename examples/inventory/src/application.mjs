// @ts-check
import { setTimeout } from 'node:timers/promises'
import express from 'express'
import {
  invalidAdjustment,
  replyTo,
  unauthenticated,
  unknownAdjustment,
  unknownSku,
} from './reply.mjs'
import { isAdjustment } from './stock.mjs'
import { supplierOf } from './supplier.mjs'

/**
 * The API. An adjustment is made once, however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import('./stock.mjs').openStock>} parts.stock
 * @param {import('./store.mjs').Store} parts.store
 * @param {express.RequestHandler} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 * @returns {express.Express}
 */
export const createApplication = ({ stock, store, once, workMs }) => {
  const app = express()

  app.post('/adjustments', requireSupplier, express.json(), once, async (req, res) => {
    if (!isAdjustment(req.body)) {
      give(res, invalidAdjustment())
      return
    }
    const { sku, delta } = req.body
    await setTimeout(workMs)
    if ('transaction' in store) {
      // One database: the adjustment and the record of its key are committed together, or neither is.
      await store.transaction(req.idempotency, () => {
        give(res, replyTo(stock.adjust(sku, delta)))
      })
    } else {
      // The record is elsewhere and comes later, or never: an attempt after that derives the same key, and finds
      // the adjustment made.
      const derivedKey = req.idempotency.derivedKey('adjustment')
      give(res, replyTo(stock.adjustOnce(sku, delta, derivedKey)))
    }
  })

  app.get('/adjustments', (_req, res) => {
    res.json(stock.adjustments())
  })

  app.get('/adjustments/:id', (req, res) => {
    const adjustment = stock.adjustment(req.params.id)
    if (adjustment) res.json(adjustment)
    else give(res, unknownAdjustment(req.params.id))
  })

  app.get('/stock/:sku', (req, res) => {
    const item = stock.find(req.params.sku)
    if (item) res.json(item)
    else give(res, unknownSku(req.params.sku))
  })

  app.use(refuseUnparsable)
  return app
}

/** @type {import('express').RequestHandler} */
const requireSupplier = (req, res, next) => {
  if (supplierOf(req.get('authorization'))) return next()
  give(res, unauthenticated())
}

/** @type {import('express').ErrorRequestHandler} */
const refuseUnparsable = (error, _req, res, next) => {
  if (error.type !== 'entity.parse.failed') return next(error)
  give(res, invalidAdjustment())
}

/** @type {(res: import('express').Response, reply: import('./reply.mjs').Reply) => void} */
const give = (res, { status, headers, body }) => {
  res.status(status).set(headers).json(body)
}
