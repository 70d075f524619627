import { STATUS_CODES } from 'node:http'
import type { StandIn } from '@retrysafe/core/node'
import type { Context } from 'koa'
import { isEmpty, isGiven, isStream } from './koa-answer.js'

/** How the run of a handler came out. */
export type RunOutcome =
  | { readonly kind: 'returned' }
  | { readonly kind: 'threw'; readonly error: unknown }

/**
 * Gives the answer of a handler in whose place somebody in front of the layer has answered long ago, as Koa would have
 * given it: for the record, since nobody receives it. Koa itself answers once for each request.
 */
export const giveLate = (ctx: Context, standIn: StandIn, outcome: RunOutcome): void => {
  if (outcome.kind === 'threw') {
    giveError(ctx, outcome.error)
    return
  }
  try {
    giveBody(ctx, standIn)
  } catch (error) {
    // JSON cannot be made of everything.
    giveError(ctx, error)
  }
}

const giveBody = (ctx: Context, { response, lose }: StandIn): void => {
  const { body, status } = ctx
  // The handler itself has written, or is going to.
  if (response.headersSent) return
  const isReadLater = isStream(body) || webBodies.some((type) => body instanceof type)
  if (ctx.respond === false || !isGiven(ctx) || isReadLater) lose()
  else if (isEmpty(status)) {
    ctx.body = null
    response.end()
  } else if (body === null || body === undefined) {
    ctx.remove('Content-Type')
    response.end()
  } else if (typeof body === 'string' || Buffer.isBuffer(body)) response.end(body)
  else response.end(JSON.stringify(body))
}

/** Bodies of Koa 3 beside its streams. */
const webBodies = [Blob, ReadableStream, Response]

/** As `ctx.onerror` does it, which would also tell the application of an error that without us it would not hear of. */
const giveError = (ctx: Context, error: unknown): void => {
  if (ctx.headerSent) {
    // Past Koa, and perhaps half of it; an answer that was whole is not touched by this.
    ctx.res.destroy()
    return
  }
  const {
    status,
    statusCode,
    expose,
    message,
    headers = {},
  } = (error ?? {}) as Partial<ThrownError>
  const given = status ?? statusCode ?? 500
  const code = STATUS_CODES[given] === undefined ? 500 : given
  for (const name of ctx.res.getHeaderNames()) ctx.remove(name)
  ctx.set(headers)
  ctx.status = code
  ctx.type = 'text'
  ctx.res.end(expose === true ? message : STATUS_CODES[code])
}

interface ThrownError extends Error {
  readonly status: number
  readonly statusCode: number
  readonly expose: boolean
  readonly headers: Record<string, string>
}
