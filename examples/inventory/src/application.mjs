// @ts-check
import { setTimeout } from 'node:timers/promises'
import express from 'express'
import { answerAdjustment, answerProblem } from './answer.mjs'
import { requireSupplier } from './supplier.mjs'

/**
 * The API. An adjustment and the record of its key are committed in one transaction, so that it is made once,
 * however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import('./stock.mjs').openStock>} parts.stock
 * @param {Pick<import('@retrysafe/sqlite').SqliteStore, 'transaction'>} parts.store
 * @param {import('express').RequestHandler} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 * @returns {express.Express}
 */
export const createApplication = ({ stock, store, once, workMs }) => {
  const app = express()

  app.post('/adjustments', requireSupplier, express.json(), once, async (req, res) => {
    if (!isAdjustment(req.body)) {
      answerProblem(res, 400, 'invalid-adjustment', 'Send { "sku": text, "delta": whole number }.')
      return
    }
    const { sku, delta } = req.body
    await setTimeout(workMs)
    await store.transaction(req.idempotency, () => {
      answerAdjustment(res, stock.adjust(sku, delta))
    })
  })

  app.get('/adjustments', (_req, res) => {
    res.json(stock.adjustments())
  })

  app.get('/adjustments/:id', (req, res) => {
    const adjustment = stock.adjustment(req.params.id)
    if (adjustment) res.json(adjustment)
    else answerProblem(res, 404, 'unknown-adjustment', `There is no adjustment ${req.params.id}.`)
  })

  app.get('/stock/:sku', (req, res) => {
    const item = stock.find(req.params.sku)
    if (item) res.json(item)
    else answerProblem(res, 404, 'unknown-sku', `There is no ${req.params.sku}.`)
  })

  return app
}

/** @param {any} body */
const isAdjustment = (body) => typeof body?.sku === 'string' && Number.isSafeInteger(body.delta)
