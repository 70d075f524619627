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
  // Something in front of the layer, a time-out for one, has answered meanwhile.
  if (response.headersSent || response.destroyed) return
  response.statusCode = status
  // That of a status which was set in front.
  response.statusMessage = ''
  setPairs(response, headers)
  const content = hasNoContent(status) ? undefined : body
  if (content) response.setHeader('Content-Length', content.length)
  if (message.complete) {
    response.end(content)
    return
  }
  // The end may close the connection, and a client that is still sending would lose what it has not read.
  if (content) response.write(content)
  readAwayRest(message, () => response.end())
}
