import type { IncomingMessage, ServerResponse } from 'node:http'
import { createHttpIdempotency, type Execution, type IdempotencyOptions } from '@retrysafe/core'
import { captureResponse, nodeRequest, sendReply } from '@retrysafe/core/node'

/** Answers the execution where the request is to be handled, and nothing where it has been answered. */
export const idempotency = (options: IdempotencyOptions<IncomingMessage>) => {
  const { begin, ...operations } = createHttpIdempotency(options)

  const once = async (
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Execution | undefined> => {
    const begun = await begin(nodeRequest({ native: request, message: request }))
    if (begun.kind === 'reply') sendReply(request, response, begun.reply)
    else if (captureResponse(response, begun.http)) return begun.http.execution
    return undefined
  }
  return Object.assign(once, operations)
}
