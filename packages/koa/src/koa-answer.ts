import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { HttpResponse } from '@retrysafe/core'
import { setPairs } from '@retrysafe/core/node'
import type { Context } from 'koa'

/** What Koa remembers of an answer beside status and headers. */
interface Remembered {
  _body?: unknown
  _explicitStatus?: boolean | undefined
  _explicitNullBody?: boolean | undefined
}

const remembered = (ctx: Context): Remembered => ctx.response as Remembered

/** Whether anybody has given status or body: else Koa answers 404 in nobody's name. */
export const isGiven = (ctx: Context): boolean =>
  remembered(ctx)._explicitStatus === true || ctx.body !== undefined

/** Answers what makes Koa forget whatever was given since. */
export const rememberAnswer = (ctx: Context): (() => void) => {
  const { _body, _explicitStatus, _explicitNullBody } = remembered(ctx)
  return () => void Object.assign(ctx.response, { _body, _explicitStatus, _explicitNullBody })
}

/** Gives a whole answer as a handler would, byte for byte. */
export const giveAnswer = (ctx: Context, { status, headers, body }: HttpResponse): void => {
  const isTyped = ctx.res.hasHeader('Content-Type')
  ctx.status = status
  ctx.body = isEmpty(status) ? null : Buffer.from(body)
  // The type that Koa takes bytes to have.
  if (!isTyped) ctx.remove('Content-Type')
  setPairs(ctx.res, headers)
}

/** Where Koa gives no body, whatever it is given. */
export const isEmpty = (status: number): boolean => [204, 205, 304].includes(status)

export const isStream = (body: unknown): body is Readable =>
  typeof (body as { pipe?: unknown } | undefined | null)?.pipe === 'function'

/** From here on the context writes on another response. */
export const useResponse = (ctx: Context, response: ServerResponse): void => {
  ctx.res = response
  ctx.request.res = response
  ctx.response.res = response
}

/** ... and knows of no answer: what it knew is that of somebody in front of the layer, on the response that he has. */
export const useFreshResponse = (ctx: Context, response: ServerResponse): void => {
  const { app, req, request, res: answered } = ctx
  const fresh = Object.assign(Object.create(app.response), { app, ctx, req, request })
  // Loggers in front ask when the answer has left, and are to be told of that one.
  Object.defineProperty(fresh, 'status', {
    get: () => (isGiven(ctx) ? response : answered).statusCode,
    set: (status) => void Reflect.set(app.response, 'status', status, fresh),
  })
  ctx.response = fresh
  request.response = fresh
  // Made anew when they are asked for: the old ones write on the old response.
  Object.assign(ctx, { cookies: undefined })
  useResponse(ctx, response)
}
