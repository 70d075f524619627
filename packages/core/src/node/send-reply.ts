import type { IncomingMessage, ServerResponse } from 'node:http'
import { type HttpResponse, hasNoContent } from '../response.js'
import { readAwayRest } from './incoming-body.js'
import { setPairs } from './response-head.js'

/** Sends a finished answer of the layer. What was set in front of the layer stays, unless the answer has it too. */
export const sendReply = (
  message: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: HttpResponse,
): void => {
  response.statusCode = status
  setPairs(response, headers)
  if (hasNoContent(status)) response.end()
  else {
    response.setHeader('Content-Length', body.length)
    response.end(body)
  }
  readAwayRest(message)
}
