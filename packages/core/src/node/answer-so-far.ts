import type { ServerResponse } from 'node:http'
import { createBodySoFar } from '../body-so-far.js'
import type { GivenAnswer } from '../http-execution.js'
import { mediaType } from '../request.js'
import { fieldLines, type HeaderPairs, hasNoContent } from '../response.js'
import { headOf } from './response-head.js'
import type { SealedHead } from './sealed-head.js'

/** An answer while it is being given. */
export interface AnswerSoFar {
  readonly ended: boolean
  /** Takes a chunk of the body and answers a copy. */
  add(chunk: Uint8Array): Uint8Array
  end(): void
  /** Whether nothing of it is missing, ended or not. */
  isWhole(): boolean
  /** Whether it can never be given again, as far as it is known. */
  isUnkeepable(): boolean
  /** As it is to be recorded. */
  whole(): GivenAnswer
  /** ... where it cannot be given again. */
  withoutBody(): GivenAnswer
  /** Nothing has been given. */
  reset(): void
}

export interface AnswerTerms {
  readonly response: ServerResponse
  readonly head: SealedHead
  /** The longest body that is kept, in bytes. */
  readonly maxStoredBody: number
  /** Fields that are not the handler's. */
  readonly outerHeaders: HeaderPairs
  readonly isUnmatched: (body: Uint8Array) => boolean
}

export const createAnswerSoFar = (terms: AnswerTerms): AnswerSoFar => {
  const { response, head, maxStoredBody, outerHeaders, isUnmatched } = terms
  let body = createBodySoFar(maxStoredBody)
  let ended = false

  const hasNoBody = (): boolean => hasNoContent(head.decided?.status ?? 200)
  const answer = (content: Uint8Array | undefined): GivenAnswer => {
    const { status, headers } = head.decided ?? headOf(response)
    const unmatched = status === 404 && content !== undefined && isUnmatched(content)
    return { status, headers, outerHeaders, body: content, unmatched }
  }

  return {
    get ended() {
      return ended
    },
    add: (chunk) => body.add(chunk),
    end: () => {
      ended = true
    },
    isWhole: () =>
      ended ||
      hasNoBody() ||
      (head.declaredLength !== undefined && body.size >= head.declaredLength),
    isUnkeepable: () =>
      body.isTooLong ||
      head.decided?.status === 101 ||
      (head.declaredLength ?? 0) > maxStoredBody ||
      mediaType(head.decided && fieldLines(head.decided.headers, 'content-type')[0]) ===
        'text/event-stream',
    whole: () => answer(hasNoBody() ? new Uint8Array() : body.whole()),
    withoutBody: () => answer(undefined),
    reset: () => {
      body = createBodySoFar(maxStoredBody)
      ended = false
    },
  }
}
