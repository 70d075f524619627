// @ts-check
import { setTimeout } from 'node:timers/promises'
import express from 'express'
import { isAdjustment } from './adjustment.mjs'
import {
  invalidAdjustment,
  replyTo,
  unauthenticated,
  unknownAdjustment,
  unknownSku,
} from './reply.mjs'
import { supplierOf } from './supplier.mjs'

/**
 * The API. An adjustment is made once, however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {import('./books.mjs').Books} parts.books
 * @param {express.RequestHandler} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 * @returns {express.Express}
 */
export const createApplication = ({ books, once, workMs }) => {
  const app = express()

  app.post('/adjustments', requireSupplier, express.json(), once, async (req, res) => {
    if (!isAdjustment(req.body)) {
      give(res, invalidAdjustment())
      return
    }
    await setTimeout(workMs)
    await books.adjust(req.idempotency, req.body, (outcome) => give(res, replyTo(outcome)))
  })

  app.get('/adjustments', async (_req, res) => {
    res.json(await books.adjustments())
  })

  app.get('/adjustments/:id', async (req, res) => {
    const adjustment = await books.adjustment(req.params.id)
    if (adjustment) res.json(adjustment)
    else give(res, unknownAdjustment(req.params.id))
  })

  app.get('/stock/:sku', async (req, res) => {
    const item = await books.find(req.params.sku)
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
