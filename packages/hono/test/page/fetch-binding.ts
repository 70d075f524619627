import { createHttpIdempotency, type Execution, type IdempotencyOptions } from '@retrysafe/core'
import { captureAnswer, fetchRequest, replyResponse } from '@retrysafe/core/fetch'

type Handler = (request: Request, execution: Execution) => Promise<Response>

/** Has the handler answer a request, or answers it without. */
export const idempotency = (options: IdempotencyOptions<Request>) => {
  const { begin, ...operations } = createHttpIdempotency(options)

  const once = async (request: Request, handler: Handler): Promise<Response> => {
    const incoming = fetchRequest({ native: request, request })
    const begun = await begin(incoming)
    if (begun.kind === 'reply') return replyResponse(begun.reply, { readRest: incoming.readRest })

    const capture = captureAnswer(begun.http, { isGone: () => request.signal.aborted })
    let response: Response
    try {
      response = await handler(incoming.request, begun.http.execution)
    } catch (error) {
      const instead = await capture.unanswered()
      if (instead === undefined) throw error
      return instead
    }
    return capture.answer(response)
  }
  return Object.assign(once, operations)
}
