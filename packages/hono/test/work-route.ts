import type { Execution } from '@retrysafe/core'
import { Hono } from 'hono'
import { type HonoOptions, idempotency } from '../src/index.js'
import { serve } from './exchange.js'

/** Serves one route, `POST /`, that answers with what its work resolves with. */
export const serveWork = (
  options: HonoOptions,
  work: (execution: Execution) => Promise<Response>,
): Promise<number> => {
  const app = new Hono()
  app.onError((error, c) => c.text(error.message, 500))
  app.post('/', idempotency(options), (c) => work(c.var.idempotency))
  return serve(app)
}
