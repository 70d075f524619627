import { answerOf } from '../answer.js'
import { answeredBefore } from '../execution.js'
import type { GivenAnswer, HttpExecution } from '../http-execution.js'
import { mediaType } from '../request.js'
import { fieldLines, type HeaderPairs, type HttpResponse, hasNoContent } from '../response.js'
import { headerPairs } from './header-pairs.js'
import { replyResponse } from './reply-response.js'
import { streamedAnswer } from './streamed-answer.js'

/** An answer that shows what it was made of. */
export interface PeekedAnswer {
  readonly headers: NonNullable<ConstructorParameters<typeof Headers>[0]>
  /** Text, bytes, a blob, a stream, or `null`; anything else has to be read. */
  readonly body: unknown
}

export interface CaptureOptions {
  /** What was set on the answer in front of the layer. */
  readonly outerHeaders?: HeaderPairs
  /** Remembers status and headers that the framework has so far; answers the function that brings them back. */
  readonly saveHead?: () => () => void
  /** What a `Response` was made of, where that is known without reading it; it can then be passed on as it is. */
  readonly peek?: (response: Response) => PeekedAnswer | undefined
  /** Whether the client has gone. Asked only where the answer is a stream. */
  readonly isGone?: () => boolean
}

/** Where the answer of a handler goes on its way to the client. */
export interface AnswerCapture {
  /**
   * What the client is to get for what the handler has answered: the very same `Response` where nothing has to
   * change. Rejects where the body fails before anything of it has left; then nothing was told, and it may run again.
   */
  answer(response: Response, facts?: { readonly unmatched?: boolean }): Promise<Response>
  /**
   * The handler gave no answer that could be had: it threw (500), or its answer went elsewhere. Resolves with what is
   * to be sent in its place, if anything is.
   */
  unanswered(status?: number): Promise<Response | undefined>
}

const captured = new WeakSet<HttpExecution>()
const passing: AnswerCapture = {
  answer: async (response) => response,
  unanswered: async () => undefined,
}

/**
 * Takes what a handler answers, keeps back as little of it as it can, and ends the record before the client can know
 * that the answer is whole. An answer in one piece, also a stream that is whole within a turn of the event loop, is
 * held as a whole and can still be replaced by what stands, where the lease was lost.
 *
 * Made before the handler runs, so that a `transaction()` finds it.
 */
export const captureAnswer = (http: HttpExecution, options: CaptureOptions = {}): AnswerCapture => {
  // A second mount with the same options shares the execution of the first.
  if (captured.has(http)) return passing
  captured.add(http)
  const { outerHeaders = [], saveHead, peek, isGone = () => false } = options
  const isProtected = http.execution.protected
  let answered = false
  let committed: HttpResponse | undefined
  let bringBack: (() => void) | undefined
  /** Settles when a transaction that is open has come to its end. */
  let open: { readonly ended: Promise<void>; readonly end: () => void } | undefined

  const close = (): void => {
    bringBack = undefined
    open?.end()
    open = undefined
  }

  http.lend({
    hold: () => {
      // Without a key there is nothing to commit the answer with: it is a plain transaction.
      if (answered && isProtected) throw answeredBefore()
      bringBack = saveHead?.()
      let end = (): void => {}
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      open = { ended, end }
    },
    given: (returned) => {
      const answer = answerOf(returned)
      return answer && { ...answer, outerHeaders: [], unmatched: false }
    },
    letGo: (returned) => {
      if (isProtected) committed = answerOf(returned)
      close()
    },
    restore: () => {
      bringBack?.()
      close()
    },
  })

  let isSettled = false
  const settle = async (answer: GivenAnswer): Promise<Response | undefined> => {
    isSettled = true
    const instead = await http.finish(answer)
    return instead && replyResponse(instead, { outerHeaders })
  }

  const failed = (status: number): GivenAnswer => ({
    status,
    headers: [],
    outerHeaders,
    body: undefined,
    unmatched: false,
  })

  const capture = async (response: Response, unmatched: boolean): Promise<Response> => {
    const peeked = peek?.(response)
    const headers = headerPairs(peeked ? new Headers(peeked.headers) : response.headers)
    // `Response.error()` has no status, and what a server makes of it is a failure.
    const status = response.status === 0 ? 500 : response.status
    const given = (body: Uint8Array | undefined): GivenAnswer => ({
      status,
      headers,
      outerHeaders,
      body,
      unmatched,
    })
    const whole = async (body: Uint8Array): Promise<Response> =>
      (await settle(given(body))) ?? response

    const content = peeked?.body
    if (hasNoContent(status) && status >= 200) return whole(new Uint8Array())
    if (typeof content === 'string') return whole(Buffer.from(content, 'utf8'))
    if (content instanceof Uint8Array) return whole(content)
    if (content instanceof Blob && content.size <= http.maxStoredBody) {
      return whole(new Uint8Array(await content.arrayBuffer()))
    }
    if (content === null || (status >= 200 && response.body === null))
      return whole(new Uint8Array())

    const declared = fieldLines(headers, 'content-length')[0]
    const declaredLength = declared === undefined ? undefined : Number(declared)
    const isUnkeepable =
      status < 200 ||
      content instanceof Blob ||
      (declaredLength ?? 0) > http.maxStoredBody ||
      mediaType(fieldLines(headers, 'content-type')[0]) === 'text/event-stream'
    if (isUnkeepable && (response.body === null || http.keeps(given(undefined)))) {
      // Certain with the head; nothing of the body has to be seen.
      return (await settle(given(undefined))) ?? response
    }
    const init = peeked?.headers ?? response.headers
    return streamedAnswer(response.body as ReadableStream<unknown>, {
      given,
      settle,
      keeps: () => http.keeps(given(undefined)),
      maxStoredBody: http.maxStoredBody,
      declaredLength,
      isGone,
      // With a length beside it, a body that says it comes in chunks would be malformed.
      isStream: content !== undefined || fieldLines(headers, 'transfer-encoding').length > 0,
      rebuilt: (body) =>
        new Response(body as ReadableStream<Uint8Array>, {
          status,
          statusText: response.statusText,
          headers: init,
        }),
    })
  }

  return {
    answer: async (response, { unmatched = false } = {}) => {
      // A transaction that the handler has not waited for decides over its answer all the same.
      await open?.ended
      answered = true
      if (!isProtected) return response
      if (committed === undefined) {
        try {
          return await capture(response, unmatched)
        } catch (error) {
          // Read already, or with a head that no client could be sent: it fails as if the handler had thrown.
          const instead = isSettled ? undefined : await settle(failed(500))
          if (instead !== undefined) return instead
          throw error
        }
      }
      // Whatever was made of it since: the record is what the effects were committed with.
      if (answerOf(response) === undefined && peek?.(response) === undefined) {
        void response.body?.cancel().catch(() => {})
      }
      return replyResponse(committed, { outerHeaders })
    },
    unanswered: async (status = 500) => {
      await open?.ended
      answered = true
      if (!isProtected || committed !== undefined) {
        return committed && replyResponse(committed, { outerHeaders })
      }
      return settle(failed(status))
    },
  }
}
