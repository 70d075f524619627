import type { Context } from 'koa'
import { isStream } from './koa-answer.js'

/** What Koa does with a context whose handler may still be at work. */
export interface KoaWatch {
  /** Whether Koa answers, by what stands in the context or for an error; not somebody on `ctx.res`. */
  isAnswering(): boolean
  /** When Koa began to answer: whether some of what stands in the context may be the handler's. */
  wasBegun(): boolean
  /** Whether the handler has said that it answers past Koa. To ask `ctx.respond` would be taken for Koa's asking. */
  isBypassed(): boolean
  /** Koa has begun its one answer, in the handler's place. */
  end(): void
}

/** What an answer of another's brings with it. */
const ownFields = /^(content-.*|retry-after)$/

/**
 * Koa answers when the outermost middleware has returned, and then first looks whether it shall (`ctx.respond`), or
 * calls `ctx.onerror`. It says so nowhere else.
 */
export const watchKoa = (ctx: Context): KoaWatch => {
  const { response, onerror } = ctx
  const fieldsBefore = new Set(ctx.res.getHeaderNames())
  let { respond } = ctx
  let answers: 'not' | 'unless-told-not-to' | 'for-an-error' = 'not'
  let isOver = false
  let hasStatus = false
  let wasBegun = false

  const isAnswering = (): boolean =>
    answers === 'for-an-error' || (answers === 'unless-told-not-to' && respond !== false)
  const begins = (how: typeof answers): void => {
    if (isOver) return
    answers = how
    const fields = ctx.res.getHeaderNames()
    wasBegun = hasStatus || fields.some((name) => !fieldsBefore.has(name) && !ownFields.test(name))
  }

  Object.defineProperty(ctx, 'respond', {
    configurable: true,
    enumerable: true,
    get: () => {
      begins('unless-told-not-to')
      return respond
    },
    set: (value) => {
      respond = value
    },
  })
  ctx.onerror = (error) => {
    // Called for every answer that has left, without one; and in Koa 2 for a stream of the handler's that fails.
    const isOfStream = isStream(ctx.body) && ctx.body.errored === error
    if (error && !isOfStream) begins('for-an-error')
    onerror.call(ctx, error)
  }
  // A time-out sets its status in the turn of the event loop in which Koa answers; who set one earlier is the handler.
  Object.defineProperty(response, 'status', {
    configurable: true,
    get: () => response.res.statusCode,
    set: (status) => {
      Reflect.set(Object.getPrototypeOf(response), 'status', status, response)
      if (hasStatus || isAnswering()) return
      setImmediate(() => {
        hasStatus ||= !isAnswering() && !isOver
      })
    },
  })

  return {
    isAnswering,
    wasBegun: () => wasBegun,
    isBypassed: () => respond === false,
    end: () => {
      answers = 'not'
      isOver = true
    },
  }
}
