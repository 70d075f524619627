import type { ServerResponse } from 'node:http'
import { explain, IdempotencyError } from '../errors.js'
import type { HeldAnswer, HttpExecution } from '../http-execution.js'
import type { HttpResponse } from '../response.js'
import { type Capture, createCapture } from './response-capture.js'
import { headOf, type ResponseHead, setPairs } from './response-head.js'
import { type StandIn, unreceivedResponse } from './stand-in.js'

/** What a binding says of its framework. */
export interface CaptureOptions {
  /** Whether no route took the request and the framework itself gives this 404. */
  readonly isUnmatched?: (body: Uint8Array) => boolean
  /** How an `answer()` that the work of a transaction returned is given. @default on the response itself, and ended */
  readonly give?: (answer: HttpResponse) => void
  /**
   * Called when a transaction takes hold of the answer. What it returns is called at a rollback, when status and headers
   * are again what they were, and makes the framework forget what else it knows of an answer.
   */
  readonly remember?: () => () => void
  /**
   * For a framework that writes answers when the handler has returned: then a time-out in front of the layer can be told
   * from the handler, and an answer for a client that has gone would not be written at all.
   */
  readonly standIn?: {
    /**
     * Asked before the first byte, whether it is of an answer that somebody in front of the layer gives while the handler
     * is still at work. That answer leaves as it is, and the record waits for the handler.
     */
    isForeign(): boolean
    /** The handler goes on with this one; nothing has been written on the other. */
    take(standIn: StandIn): void
  }
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
 * request meanwhile: nobody would get its answer, and nothing has happened yet. The key is then as it was
 * found, as it is where this throws.
 */
export const captureResponse = (
  response: ServerResponse,
  http: HttpExecution,
  options: CaptureOptions = {},
): boolean => {
  // A second mount with the same options shares the execution of the first.
  if (captured.has(http)) return true
  captured.add(http)
  const once = endingOnce(http)
  if (http.execution.protected && response.headersSent) {
    void http.giveBack()
    return false
  }
  try {
    capture(response, once, options)
    return true
  } catch (error) {
    void http.giveBack()
    throw error
  }
}

/** What is written on a response of HTTP/2 leaves by other ways than those that are listened to. */
const refuseOtherProtocols = (response: ServerResponse): void => {
  const { httpVersionMajor, httpVersion } = response.req
  // What stands for a request outside a server says nothing, or a text.
  if (!(httpVersionMajor > 1)) return
  throw new IdempotencyError(
    'option-invalid',
    explain(
      'option-invalid',
      'a response of HTTP/1',
      `one of HTTP/${httpVersion}`,
      'Its answer cannot be held until it is recorded. Let a proxy in front speak HTTP/2.',
    ),
  )
}

const capture = (
  response: ServerResponse,
  http: HttpExecution,
  {
    isUnmatched = () => false,
    give = (answer) => endWith(response, answer),
    remember = () => () => {},
    standIn,
  }: CaptureOptions,
): void => {
  const captureOn = (on: ServerResponse, outer: ResponseHead): Capture =>
    createCapture(on, http, {
      isUnmatched,
      isForeign: () => standIn?.isForeign() ?? false,
      give,
      remember,
      outer,
      moveOn:
        standIn &&
        ((reason, head, isHeld) => {
          const unreceived = unreceivedResponse(on, head)
          const next = captureOn(unreceived, outer)
          if (isHeld) next.hold()
          http.lend(next)
          next.begin()
          standIn.take({ response: unreceived, reason, lose: next.lose })
        }),
    })
  if (http.execution.protected) {
    refuseOtherProtocols(response)
    const first = captureOn(response, headOf(response))
    http.lend(first)
    first.begin()
  } else http.lend(capturedWhenHeld(() => captureOn(response, headOf(response))))
}

/** The first answer counts: two responses may stand for one request. */
const endingOnce = (http: HttpExecution): HttpExecution => {
  let outcome: Promise<HttpResponse | undefined> | undefined
  return {
    ...http,
    finish: (answer) => {
      outcome ??= http.finish(answer)
      return outcome
    },
  }
}

/** Gives a whole answer as a handler would. */
const endWith = (response: ServerResponse, { status, headers, body }: HttpResponse): void => {
  response.statusCode = status
  response.statusMessage = ''
  setPairs(response, headers)
  response.end(body)
}

/** Without a key there is nothing to capture for, unless a transaction holds the answer. */
const capturedWhenHeld = (create: () => Capture): HeldAnswer => {
  let answer: Capture | undefined
  return {
    hold: () => {
      if (answer === undefined) {
        answer = create()
        answer.begin()
      }
      answer.hold()
    },
    given: (returned) => answer?.given(returned),
    letGo: (returned) => answer?.letGo(returned),
    restore: () => answer?.restore(),
  }
}
