import type { ServerResponse } from 'node:http'
import type { HeldAnswer, HttpExecution } from '../http-execution.js'
import { createCapture } from './response-capture.js'

export interface CaptureOptions {
  /** Whether no route took the request and the framework itself gives this 404. */
  readonly isUnmatched?: (body: Uint8Array) => boolean
}

const captured = new WeakSet<HttpExecution>()

/**
 * Listens to what a handler writes on a `ServerResponse` and keeps back as little as it can: the end of the
 * answer, until its record is durable. For the handler nothing changes, save when its last byte leaves.
 *
 * The head leaves with the first byte that does, so an answer given in one piece is held as a whole and can
 * still be replaced by what stands, where the lease was lost.
 *
 * Answers whether the handler may run. It may not where something in front of the layer has answered a protected
 * request meanwhile: nobody would get its answer, and nothing has happened yet. The key is then free again.
 */
export const captureResponse = (
  response: ServerResponse,
  http: HttpExecution,
  { isUnmatched = () => false }: CaptureOptions = {},
): boolean => {
  // A second mount with the same options shares the execution of the first.
  if (captured.has(http)) return true
  captured.add(http)
  if (http.execution.protected && response.headersSent) {
    http.execution.release()
    void http.finish({
      status: response.statusCode,
      headers: [],
      outerHeaders: [],
      body: undefined,
      unmatched: false,
    })
    return false
  }
  const capture = () => createCapture(response, http, isUnmatched)
  http.lend(http.execution.protected ? capture() : capturedWhenHeld(capture))
  return true
}

/** Without a key there is nothing to capture for, unless a transaction holds the answer. */
const capturedWhenHeld = (capture: () => HeldAnswer): HeldAnswer => {
  let answer: HeldAnswer | undefined
  return {
    hold: () => {
      answer ??= capture()
      answer.hold()
    },
    given: () => answer?.given(),
    letGo: () => answer?.letGo(),
    restore: () => answer?.restore(),
  }
}
