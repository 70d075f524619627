import type { Execution } from '../../src/execution.js'
import {
  type CaptureOptions,
  captureAnswer,
  fetchRequest,
  replyResponse,
} from '../../src/fetch/index.js'
import { createHttpIdempotency } from '../../src/http-idempotency.js'
import type { IdempotencyOptions } from '../../src/options.js'
import { type FaultyStore, faultyStore } from '../faulty-store.js'
import { heardEvents } from '../heard-events.js'

export type Handler = (request: Request, execution: Execution) => Response | Promise<Response>

/** A fetch handler behind the layer, without a framework: what a binding has to do, and no more. */
export const bareHandler = (
  handler: Handler,
  options: Partial<IdempotencyOptions<Request>> = {},
  capturing: CaptureOptions = {},
) => {
  const store: FaultyStore = faultyStore()
  const layer = createHttpIdempotency<Request>({ store, scope: 'global', ...options })

  const fetch = async (native: Request): Promise<Response> => {
    const request = fetchRequest({ native, request: native })
    const begun = await layer.begin(request)
    if (begun.kind === 'reply') return replyResponse(begun.reply, request)
    const capture = captureAnswer(begun.http, capturing)
    let response: Response
    try {
      response = await handler(request.request, begun.http.execution)
    } catch (error) {
      const instead = await capture.unanswered()
      if (instead) return instead
      throw error
    }
    return capture.answer(response)
  }
  const send = (key: string | undefined, body = ''): Promise<Response> =>
    fetch(
      new Request('http://shop/orders', {
        method: 'POST',
        headers: key === undefined ? {} : { 'Idempotency-Key': key },
        ...(body !== '' && { body }),
      }),
    )
  return { store, fetch, send, heard: heardEvents(layer.events) }
}

export const isReplay = (response: Response): boolean =>
  response.headers.get('Idempotent-Replayed') === 'true'

/** A stream that gives what it is told to, and tells what was asked of it. */
export const controlledStream = () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  let pulls = 0
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>(
    {
      start: (given) => {
        controller = given
      },
      pull: () => {
        pulls++
      },
      cancel: () => {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return {
    stream,
    give: (text: string) => controller?.enqueue(Buffer.from(text)),
    end: () => controller?.close(),
    fail: (error: Error) => controller?.error(error),
    pulls: () => pulls,
    isCancelled: () => cancelled,
  }
}

/** The next chunk of a body as text; `undefined` at its end. */
export const nextOf = async (
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<string | undefined> => {
  const { value } = await reader.read()
  return value && Buffer.from(value).toString()
}

/** The event loop has turned as often as it takes for what is under way. */
export const turns = async (count = 3): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}
