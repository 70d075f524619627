import type { Execution, HttpExecution } from '@retrysafe/core'
import {
  forgets,
  without,
  wrongEnding,
  wrongExecution,
  wrongOptions,
  wrongProblem,
  wrongStore,
} from '../defect.js'
import { executionOf } from '../reference-binding.js'
import type { Defect } from '../reference-harness.js'
import { wrongChunkedEnding } from './duplicates.js'

const early = (http: HttpExecution, answer: Parameters<HttpExecution['finish']>[0]) => {
  void http.finish(answer)
  return Promise.resolve(undefined)
}

const earlyChunks = wrongChunkedEnding(early)
const earlyWholes = wrongEnding((http, answer) =>
  answer.status === 303 || answer.status === 503 ? early(http, answer) : http.finish(answer),
)
const statusesConfused = wrongEnding((http, answer) => {
  if (answer.status === 410) http.execution.release()
  if (answer.status === 403 || answer.status === 425) http.execution.complete()
  return http.finish(answer)
})
const keepForgotten = forgets('keep')
/** A throw is taken for a failure, before an answer has been made of it. */
const throwFails: Defect = () => ({
  thrown: (error, execution) => {
    const { status, stack } = error as Error & { readonly status?: number }
    if (status === 422 || stack === 'Error: boom') execution?.fail()
    return error
  },
})
const everyBreakFails: Defect = () => ({
  response: (response, message) => {
    response.once('close', () => {
      if (!response.writableFinished) executionOf(message)?.fail()
    })
  },
})
const everyAnswerMayBeKept = wrongExecution(() => ({ keeps: () => false }))

/** Bindings that keep other answers than they should, or let them go at the wrong time. */
export const answers: { readonly [guarantee: string]: Defect } = {
  'who lost the lease in mid-answer breaks it off, so that its client asks again':
    wrongChunkedEnding(async (http, answer) => {
      await http.finish(answer)
      return undefined
    }),
  'success, redirection and business refusals are kept': statusesConfused,
  '401, 403 and 429 leave no record': statusesConfused,
  '408, 409, 423, 425 and 5xx run again, with a higher attempt': statusesConfused,
  'a failed key is bound to its request': wrongStore((store) => ({
    acquire: async (claim) => {
      const found = await store.acquire(claim)
      return found.kind === 'exists' && found.record.state === 'failed'
        ? store.acquire({ ...claim, fingerprint: found.record.fingerprint })
        : found
    },
  })),
  'keep success-only keeps 2xx and 3xx, releases 4xx and fails 5xx': keepForgotten,
  'keep all keeps every answer, that of a throw too': keepForgotten,
  'a function as keep decides from status and headers': keepForgotten,
  'a function as keep that throws or answers nonsense costs no record': wrongOptions(({ keep }) => {
    if (typeof keep !== 'function') return {}
    return {
      keep: (...given: Parameters<typeof keep>) => {
        try {
          return keep(...given)
        } catch {
          return 'release'
        }
      },
    }
  }),
  'a kept answer lives for retentionMs, and a replay does not lengthen that': wrongStore(
    (store) => ({
      complete: (lease, terms) => store.complete(lease, { ...terms, retentionMs: 86_400_000 }),
    }),
  ),
  'purgeExpired() removes by hand what has expired, and says how much': () => ({
    operations: (operations) => ({ ...operations, purgeExpired: async () => 0 }),
  }),
  'what a handler throws reaches the error handling of the application, unchanged': () => ({
    thrown: (error) => Object.assign(new Error((error as Error).message), error),
  }),
  'the client of a handler that throws gets what it would get without the layer': wrongEnding(
    async (http, answer) => {
      const instead = await http.finish(answer)
      const isBoom = Buffer.from(answer.body ?? '').toString() === 'boom'
      return isBoom ? { status: 500, headers: [], body: Buffer.from('An error') } : instead
    },
  ),
  'a handler that throws runs again, with a higher attempt': wrongEnding((http, answer) => {
    if (Buffer.from(answer.body ?? '').toString() === 'boom') http.execution.release()
    return http.finish(answer)
  }),
  'a thrown error counts as the answer that the framework makes of it': throwFails,
  'a thrown error counts as the answer that the application makes of it': throwFails,
  'the 404 of a route that nobody has leaves no record': () => ({ isUnmatched: () => false }),
  'the 404 of a handler is kept, also where the layer is on the whole application': () => ({
    isUnmatched: () => true,
  }),

  'an answer in one piece leaves when its record is durable': earlyWholes,
  'the end of an answer in chunks leaves when its record is durable': earlyChunks,
  'the byte that reaches Content-Length leaves when its record is durable, whenever the handler ends':
    earlyChunks,
  'the byte that makes an answer too long leaves when that is recorded': earlyChunks,
  'a failure leaves when it is recorded, so that a retry at once may run': earlyWholes,
  'chunks leave as the handler makes them': () => ({
    captured: (response) => {
      const { write, end } = response
      const held: unknown[] = []
      response.write = (...given: unknown[]) => {
        if (response.getHeader('content-type') !== 'text/plain')
          return write.apply(response, given as never)
        held.push(given[0])
        ;(given.find((value) => typeof value === 'function') as (() => void) | undefined)?.()
        return true
      }
      response.end = ((...given: unknown[]) => {
        for (const chunk of held) write.call(response, chunk, undefined as never)
        return end.apply(response, given as never)
      }) as typeof end
    },
  }),
  'an answer of 10 MB arrives whole': () => ({
    captured: (response) => {
      const { write } = response
      let chunks = 0
      response.write = (...given: unknown[]) => {
        if (++chunks === 100) given[0] = Buffer.alloc(0)
        return write.apply(response, given as never)
      }
    },
  }),
  'a body of maxStoredBody is kept, a larger one is not, and its client gets all of it':
    wrongOptions(({ maxStoredBody }) => ({
      maxStoredBody: maxStoredBody === undefined ? undefined : maxStoredBody + 1,
    })),
  'who cannot be given the answer is told the Location that it had': wrongProblem((_code, reply) =>
    without(reply, 'location'),
  ),
  'an event stream is recorded as such with its head, and flows on': everyAnswerMayBeKept,
  'an answer whose source fails after its head has left does not run again': everyBreakFails,
  'a failure stays one, whatever its size': wrongEnding((http, answer) => {
    if (answer.status >= 500 && answer.body === undefined) http.execution.complete()
    return http.finish(answer)
  }),
  'a client that goes while its key is claimed finds its answer on retry': () => ({
    begin: async (begin, { native }) => {
      const begun = await begin()
      if (native.socket.destroyed) begun.http.execution.release()
      return begun
    },
  }),
  'a client that goes while the handler is at work finds its answer on retry': everyBreakFails,
  'a result that comes after a time-out in front is stored, and the retry gets it': everyBreakFails,
  'a client that goes in mid-answer ends the record at once, and it does not run again':
    everyBreakFails,

  'an inner operation has a record of its own, and its failure stays its own': () => {
    const active = new Set<Execution>()
    return wrongExecution((http) => {
      active.add(http.execution)
      return {
        finish: (answer) => {
          active.delete(http.execution)
          if (answer.status === 503) for (const outer of active) outer.fail()
          return http.finish(answer)
        },
      }
    })()
  },
}
