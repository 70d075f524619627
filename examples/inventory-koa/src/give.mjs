// @ts-check
import { answer } from '@retrysafe/core'

/**
 * Gives an answer as Koa has it, and returns it as the work of a transaction must: what Koa makes of the context is
 * not there yet when the transaction is committed.
 *
 * @param {import('koa').Context} ctx
 * @param {import('@retrysafe/example-inventory/reply').Reply} reply
 */
export const give = (ctx, { status, headers, body }) => {
  ctx.status = status
  ctx.set(headers)
  ctx.body = body
  return answer(status, body, headers)
}
