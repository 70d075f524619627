// @ts-check

/** @type {(ctx: import('koa').Context, reply: import('@retrysafe/example-inventory/reply').Reply) => void} */
export const give = (ctx, { status, headers, body }) => {
  ctx.status = status
  ctx.set(headers)
  ctx.body = body
}
