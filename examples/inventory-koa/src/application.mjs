// @ts-check
import { setTimeout } from 'node:timers/promises'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import { isAdjustment } from '@retrysafe/example-inventory/adjustment'
import {
  invalidAdjustment,
  replyTo,
  unauthenticated,
  unknownAdjustment,
  unknownSku,
} from '@retrysafe/example-inventory/reply'
import { supplierOf } from '@retrysafe/example-inventory/supplier'
import Koa from 'koa'
import { give } from './give.mjs'

/**
 * The API. An adjustment is made once, however often it is sent and whenever the process dies.
 *
 * @param {object} parts
 * @param {import('@retrysafe/example-inventory/books').Books} parts.books
 * @param {import('@retrysafe/koa').KoaIdempotency} parts.once
 * @param {number} parts.workMs What an adjustment takes before its transaction, in milliseconds.
 */
export const createApplication = ({ books, once, workMs }) => {
  const router = new Router()

  router.post('/adjustments', requireSupplier, parseJson, once, async (ctx) => {
    const { body } = ctx.request
    if (!isAdjustment(body)) {
      give(ctx, invalidAdjustment())
      return
    }
    await setTimeout(workMs)
    await books.adjust(ctx.state.idempotency, body, (outcome) => give(ctx, replyTo(outcome)))
  })

  router.get('/adjustments', async (ctx) => {
    ctx.body = await books.adjustments()
  })

  router.get('/adjustments/:id', async (ctx) => {
    const { id = '' } = ctx.params
    const adjustment = await books.adjustment(id)
    if (adjustment) ctx.body = adjustment
    else give(ctx, unknownAdjustment(id))
  })

  router.get('/stock/:sku', async (ctx) => {
    const { sku = '' } = ctx.params
    const item = await books.find(sku)
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
