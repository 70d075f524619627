// @ts-check
import { setTimeout } from 'node:timers/promises'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import {
  invalidAdjustment,
  replyTo,
  unauthenticated,
  unknownAdjustment,
  unknownSku,
} from '@retrysafe/example-inventory/reply'
import { isAdjustment } from '@retrysafe/example-inventory/stock'
import { supplierOf } from '@retrysafe/example-inventory/supplier'
import Koa from 'koa'
import { give, toAnswer } from './give.mjs'

/**
 * The API. An adjustment is made once, however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {ReturnType<typeof import('@retrysafe/example-inventory/stock').openStock>} parts.stock
 * @param {import('@retrysafe/example-inventory/store').Store} parts.store
 * @param {import('@retrysafe/koa').KoaIdempotency} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 */
export const createApplication = ({ stock, store, once, workMs }) => {
  const router = new Router()

  router.post('/adjustments', requireSupplier, parseJson, once, async (ctx) => {
    const { body } = ctx.request
    if (!isAdjustment(body)) {
      give(ctx, invalidAdjustment())
      return
    }
    const { sku, delta } = body
    await setTimeout(workMs)
    if ('transaction' in store) {
      // One database: the adjustment and the record of its key are committed together, or neither is. The layer gives
      // the answer.
      await store.transaction(ctx.state.idempotency, () =>
        toAnswer(replyTo(stock.adjust(sku, delta))),
      )
    } else {
      // The record is elsewhere and comes later, or never: an attempt after that derives the same key, and finds
      // the adjustment made.
      const derivedKey = ctx.state.idempotency.derivedKey('adjustment')
      give(ctx, replyTo(stock.adjustOnce(sku, delta, derivedKey)))
    }
  })

  router.get('/adjustments', (ctx) => {
    ctx.body = stock.adjustments()
  })

  router.get('/adjustments/:id', (ctx) => {
    const { id = '' } = ctx.params
    const adjustment = stock.adjustment(id)
    if (adjustment) ctx.body = adjustment
    else give(ctx, unknownAdjustment(id))
  })

  router.get('/stock/:sku', (ctx) => {
    const { sku = '' } = ctx.params
    const item = stock.find(sku)
    if (item) ctx.body = item
    else give(ctx, unknownSku(sku))
  })

  return new Koa().use(refuseUnparsable).use(router.routes())
}

/** @type {import('koa').Middleware} */
const requireSupplier = async (ctx, next) => {
  if (supplierOf(ctx.get('authorization'))) await next()
  else give(ctx, unauthenticated())
}

const parseJson = bodyParser({ enableTypes: ['json'] })

/** @type {import('koa').Middleware} */
const refuseUnparsable = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    if (/** @type {{ status?: number }} */ (error).status !== 400) throw error
    give(ctx, invalidAdjustment())
  }
}
