import { createExecution, type Execution } from './execution.js'
import type { ActiveExecution } from './holding.js'
import { problemResponse } from './problem.js'
import { decodeResult, encodeResult, isFinalStatus } from './record.js'
import { type ReplyTerms, replayOf } from './reply.js'
import { fieldLines, type HeaderPairs, type HttpResponse, isField } from './response.js'
import { type Keep, keepOf, storedHeaders } from './response-policy.js'
import type { HttpSettings } from './settings.js'

/** What a handler has answered, as a capture saw it. */
export interface GivenAnswer {
  readonly status: number
  /** Every field, also those set in front of the layer. */
  readonly headers: HeaderPairs
  /** Those that stood before the handler began. */
  readonly outerHeaders: HeaderPairs
  /** `undefined`: too long, endless or broken off; it cannot be given again. */
  readonly body: Uint8Array | undefined
  /** No route took the request: the framework itself answered. */
  readonly unmatched: boolean
}

/** How a capture holds an answer while a transaction is open. */
export interface HeldAnswer {
  /** From here on nothing leaves. Throws `answer-missing` where some of the answer has been given. */
  hold(): void
  /** What was answered since, or returned as an `answer()`; `undefined` where nothing was. */
  given(returned: unknown): GivenAnswer | undefined
  /** The answer may leave; one that was returned is given now. */
  letGo(returned: unknown): void
  /** Status and headers as they were at `hold()`, nothing answered. */
  restore(): void
}

/** An execution as a capture deals with it: facts go in, and out comes what the client is to get. */
export interface HttpExecution {
  readonly execution: Execution
  /** The longest body that is kept, in bytes. */
  readonly maxStoredBody: number
  lend(answer: HeldAnswer): void
  /** Whether an answer with this head would be kept: then no duplicate may run once its head has left. */
  keeps(answer: Omit<GivenAnswer, 'body'>): boolean
  /**
   * Ends the record. Resolves, when the answer may leave, with what is to be sent in its place, or with `undefined` where
   * it is the one to send. Called once, and before the client can know that the answer is whole. Never rejects.
   */
  finish(answer: GivenAnswer): Promise<HttpResponse | undefined>
  /** In place of that, where the handler does not come to run: the key is as it was found. Never rejects. */
  giveBack(): Promise<void>
}

/** A request that is not protected: its answer is held only while a transaction is open. */
export const unprotectedExecution = (): HttpExecution => {
  const control = createExecution(undefined)
  return {
    execution: control.execution,
    maxStoredBody: Number.POSITIVE_INFINITY,
    lend: ({ hold, letGo, restore }) =>
      control.lend({ hold, letGo, restore, result: () => undefined }),
    keeps: () => false,
    finish: async () => undefined,
    giveBack: async () => {},
  }
}

export const protectedExecution = <Native>(
  active: ActiveExecution,
  settings: HttpSettings<Native>,
  terms: ReplyTerms,
): HttpExecution => {
  const { keep: policy, maxStoredBody } = settings
  const { problems } = terms
  let isGivenBack = false

  const keepFor = ({ status, headers, unmatched }: Omit<GivenAnswer, 'body'>): Keep => {
    const said = active.said()
    if (said !== undefined) return said
    if (unmatched) return 'release'
    if (typeof policy !== 'function') return keepOf(status, policy)
    try {
      const keep: unknown = policy({ status, headers })
      if (keep === 'complete' || keep === 'fail' || keep === 'release') return keep
      // An asynchronous policy comes too late to be heard; that it fails must not end the process.
      if (keep instanceof Promise) keep.catch(() => {})
      return keepOf(status, 'default')
    } catch {
      // The answer has been given and its effects have happened: a mistake in the policy must not cost the record.
      return keepOf(status, 'default')
    }
  }

  const whatStands = async (): Promise<HttpResponse> => {
    try {
      const result = await active.whatStands()
      if (result !== undefined) return await replayOf(result, terms)
      return problemResponse('request-in-flight', problems, settings.onInFlight)
    } catch {
      return problemResponse('store-unavailable', problems)
    }
  }

  return {
    execution: active.execution,
    maxStoredBody,
    lend: ({ hold, given, letGo, restore }) =>
      active.lend({
        hold,
        letGo,
        restore,
        result: (returned) => {
          const answer = given(returned)
          return answer && resultOf(answer, settings)
        },
      }),
    keeps: (answer) => keepFor(answer) === 'complete',
    finish: async (answer) => {
      const standing = active.standing()
      if (standing === 'ended' || isGivenBack) return undefined
      if (standing === 'stale') return whatStands()
      if (standing === 'gone') return problemResponse('store-unavailable', problems)
      const keep = keepFor(answer)
      const threw = answer.status >= 500
      const result = keep === 'complete' ? resultOf(answer, settings) : new Uint8Array()
      const outcome = await active.finish(keep, result, threw)
      if (outcome === 'stale') return whatStands()
      // A transaction that could not begin is the store's failure, whatever the framework made of the error.
      if (standing === 'busy' && threw) return problemResponse('store-unavailable', problems)
      return undefined
    },
    giveBack: async () => {
      if (isGivenBack || active.standing() !== 'open') return
      isGivenBack = true
      await active.giveBack()
    },
  }
}

/** The result that an answer is kept as. */
export const resultOf = (
  { status, headers, outerHeaders, body }: Omit<GivenAnswer, 'unmatched'>,
  { maxStoredBody, replayHeaders }: Pick<HttpSettings<never>, 'maxStoredBody' | 'replayHeaders'>,
): Uint8Array => {
  if (body === undefined || body.length > maxStoredBody || !isFinalStatus(status)) {
    return notStoredResult(headers)
  }
  const allowed = replayHeaders && new Set(replayHeaders.map((name) => name.toLowerCase()))
  const kept = storedHeaders(headers, outerHeaders, allowed)
  // A `Response` may hold what HTTP does not allow; a record that has it could not be read again.
  if (!kept.every(isField)) return notStoredResult(headers)
  return encodeResult({ kind: 'response', response: { status, headers: kept, body } })
}

/** The result of a request whose answer cannot be given again, with the place of what it made. */
const notStoredResult = (headers: HeaderPairs): Uint8Array =>
  encodeResult({
    kind: 'response-not-stored',
    location: fieldLines(headers.filter(isField), 'location')[0],
  })

/** The result of an answer that cannot be kept: the place of what it made; without a result, nothing but that it was given. */
export const withoutBody = (result?: Uint8Array): Uint8Array => {
  const stored = result && decodeResult(result)
  if (stored?.kind === 'response-not-stored') return result as Uint8Array
  return notStoredResult(stored?.kind === 'response' ? stored.response.headers : [])
}
