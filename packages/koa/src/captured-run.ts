import type { HttpExecution, HttpResponse } from '@retrysafe/core'
import {
  captureResponse,
  headOf,
  type ResponseHead,
  restoreHead,
  type StandIn,
} from '@retrysafe/core/node'
import type { Context, Next } from 'koa'
import {
  giveAnswer,
  isGiven,
  isStream,
  rememberAnswer,
  useFreshResponse,
  useResponse,
} from './koa-answer.js'
import { watchKoa } from './koa-watch.js'
import { giveLate, type RunOutcome } from './late-answer.js'

/** Runs what is behind the layer, and lets core see on `ctx.res` what Koa makes of it when all middleware is through. */
export const runCaptured = async (ctx: Context, http: HttpExecution, next: Next): Promise<void> => {
  let isAtWork = true
  let isTaken = false
  let committed: { readonly answer: HttpResponse; readonly head: ResponseHead } | undefined
  let late: StandIn | undefined
  const watch = http.execution.protected ? watchKoa(ctx) : undefined

  const take = (standIn: StandIn): void => {
    if (standIn.reason === 'answered') {
      late = standIn
      useFreshResponse(ctx, standIn.response)
      watch?.end()
      return
    }
    // Koa gives no answer to a client that has gone, and destroys the stream of one that it was giving.
    useResponse(ctx, standIn.response)
    if (isStream(ctx.body) || watch?.isAnswering()) standIn.lose()
  }
  const mayRun = captureResponse(ctx.res, http, {
    isUnmatched: () => !isAtWork && !isTaken,
    remember: () => rememberAnswer(ctx),
    give: (answer) => {
      giveAnswer(ctx, answer)
      committed = { answer, head: headOf(ctx.res) }
    },
    ...(watch && { standIn: { isForeign: () => isAtWork && watch.isAnswering(), take } }),
  })
  if (!mayRun) return

  const outcome: RunOutcome = await next().then(
    () => ({ kind: 'returned' }),
    (error: unknown) => ({ kind: 'threw', error }),
  )
  isAtWork = false
  const isBypassed = watch?.isBypassed() ?? ctx.respond === false
  isTaken = outcome.kind === 'threw' || isGiven(ctx) || isBypassed || ctx.res.headersSent
  if (late) {
    if (watch?.wasBegun() && outcome.kind === 'returned') late.lose()
    else giveLate(ctx, late, outcome)
  } else if (committed && !ctx.res.headersSent) {
    // What is committed is the answer, whatever was set or thrown since; who stands in front may still make his own of it.
    giveAnswer(ctx, committed.answer)
    restoreHead(ctx.res, committed.head)
    if (outcome.kind === 'threw' || isBypassed) ctx.res.end(ctx.body ?? undefined)
  }
  if (outcome.kind === 'threw') throw outcome.error
}
