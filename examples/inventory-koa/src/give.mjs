// @ts-check
import { answer } from '@retrysafe/core'

/** @typedef {import('@retrysafe/example-inventory/reply').Reply} Reply */

/** @type {(ctx: import('koa').Context, reply: Reply) => void} */
export const give = (ctx, { status, headers, body }) => {
  ctx.status = status
  ctx.set(headers)
  ctx.body = body
}

/** What the work of a transaction returns, for the layer to give. */
/** @param {Reply} reply */
export const toAnswer = ({ status, headers, body }) => answer(status, body, headers)
