import type { ServerResponse } from 'node:http'
import { answerOf } from '../answer.js'
import { answeredBefore } from '../execution.js'
import type { GivenAnswer, HeldAnswer, HttpExecution } from '../http-execution.js'
import { type HttpResponse, hasNoContent } from '../response.js'
import { createAnswerSoFar } from './answer-so-far.js'
import { holdConnection } from './held-connection.js'
import { nativeOf } from './native-response.js'
import { applyHead, headOf, type ResponseHead, restoreHead, setPairs } from './response-head.js'
import { createSealedHead } from './sealed-head.js'
import type { StandIn } from './stand-in.js'
import { type WriteCallback, writtenChunk } from './written-chunk.js'

/** What a capture is told, and asks of its binding. */
export interface CaptureTerms {
  readonly isUnmatched: (body: Uint8Array) => boolean
  readonly isForeign: () => boolean
  readonly give: (answer: HttpResponse) => void
  readonly remember: () => () => void
  /** Fields that are not the handler's. */
  readonly outer: ResponseHead
  /** Where the handler goes on from `head`; `isHeld`: in the middle of a transaction. */
  readonly moveOn:
    | ((reason: StandIn['reason'], head: ResponseHead, isHeld: boolean) => void)
    | undefined
}

/** A captured response, as its transaction and its stand-in deal with it. */
export interface Capture extends HeldAnswer {
  /** Called once when it is lent: a client that has gone by then is gone for it too. */
  begin(): void
  /** See `StandIn.lose`. */
  lose(): void
}

/** Takes the place of the methods by which a response is written; see `captureResponse`. */
export const createCapture = (
  response: ServerResponse,
  http: HttpExecution,
  { isUnmatched, isForeign, give, remember, outer, moveOn }: CaptureTerms,
): Capture => {
  const native = nativeOf(response)
  const head = createSealedHead(response, native)
  const connection = holdConnection(response)
  const answer = createAnswerSoFar({
    response,
    head,
    maxStoredBody: http.maxStoredBody,
    outerHeaders: outer.headers,
    isUnmatched,
  })

  /**
   * `capturing` until the answer is whole, or known not to be kept; `finishing` while the store is asked; then
   * `passing`, or `replaced` where another answer went out in its place.
   */
  let phase: 'capturing' | 'finishing' | 'passing' | 'replaced' = 'capturing'
  /** What was there when a transaction began; `undefined` outside of one. */
  let held: { readonly head: ResponseHead; readonly recall: () => void } | undefined
  let headLeft = false
  let closed = false
  /** Whether a stream is piped into it: Node ends that with the connection, and the rest of the answer never comes. */
  let isPiped = false
  /** What the handler did while its answer was kept back, in order. */
  let waiting: (() => unknown)[] = []
  let callbacks: WriteCallback[] = []

  /** After every step of the handler: whether it may leave, or the record comes first. */
  const advance = (step: () => unknown): boolean => {
    if (phase === 'capturing' && held === undefined) {
      if (answer.isWhole()) finish(answer.whole())
      else if (answer.isUnkeepable() && http.keeps(answer.withoutBody()))
        finish(answer.withoutBody())
    }
    if (phase === 'finishing' || held !== undefined) {
      waiting.push(step)
      return false
    }
    if (!headLeft) head.restoreDecided()
    const flowing = step() !== false
    // A source that waits for a client who has gone would never come to its end; the record wants the end.
    if (closed && !headLeft) return true
    headLeft = true
    return flowing
  }

  const finish = (given: GivenAnswer): void => {
    phase = 'finishing'
    connection.hold()
    void http
      .finish(given)
      .catch(() => undefined)
      .then((instead) => {
        if (instead === undefined) flush()
        else replace(instead)
        connection.letGo()
      })
  }
  /** The answer broke off: its record is ended, and nobody waits for that. */
  const breakOff = (given: GivenAnswer): void => {
    phase = 'passing'
    void http.finish(given).catch(() => undefined)
  }

  /** The handler's own steps, now for real. */
  const flush = (): void => {
    phase = 'passing'
    const steps = waiting
    waiting = []
    callbacks = []
    head.reveal()
    if (!headLeft) head.restoreDecided()
    let flowing = true
    for (const step of steps) {
      headLeft = true
      try {
        flowing = step() !== false
      } catch (error) {
        // What the head or a chunk got wrong shows only now; the handler is gone, so the client sees the connection break.
        response.destroy(error as Error)
        return
      }
    }
    if (steps.length > 0 && flowing && !response.writableEnded) response.emit('drain')
  }

  /** The record is another's: its answer is sent, and what the handler wrote is dropped. */
  const replace = (instead: HttpResponse): void => {
    phase = 'replaced'
    waiting = []
    if (headLeft) {
      // Half of an answer that does not stand: a broken connection makes the client ask again.
      connection.letGo()
      native.destroy()
      return
    }
    head.reveal()
    for (const callback of callbacks) response.once('finish', () => callback())
    headLeft = true
    native.run(() => {
      restoreHead(response, { ...outer, statusMessage: '' })
      response.statusCode = instead.status
      setPairs(response, instead.headers)
      if (!hasNoContent(instead.status)) response.setHeader('Content-Length', instead.body.length)
    })
    native.end(hasNoContent(instead.status) ? undefined : instead.body)
  }

  const isPassing = (): boolean => native.isRunning() || phase === 'passing'
  /** Whether what is being written is none of the handler's: then the response is given up to whoever writes. */
  const passes = (): boolean => {
    if (isPassing()) return true
    if (phase !== 'capturing' || head.decided !== undefined || !isForeign()) return false
    phase = 'passing'
    moveOn?.('answered', outer, held !== undefined)
    held = undefined
    return true
  }
  /** For an answer that has not been begun, and whose client has gone. */
  const moveOnIfGone = (): void => {
    if (!closed || phase !== 'capturing' || head.decided !== undefined || held !== undefined) return
    moveOn?.('gone', headOf(response), false)
  }
  /** A method that Node refuses once the head is sent. */
  const guarded =
    (action: string, method: (...given: unknown[]) => unknown) =>
    (...given: unknown[]): unknown => {
      if (!isPassing() && head.decided !== undefined) throw tooLate(action)
      return method(...given)
    }

  const write = (...given: unknown[]): unknown => {
    const { bytes, callback } = writtenChunk(given)
    // A wrong chunk is Node's to refuse, and what comes after the end, when that has left.
    if (passes() || bytes === undefined) return native.write(...given)
    if (phase === 'replaced') return true
    if (answer.ended) {
      waiting.push(() => native.write(...given))
      return false
    }
    head.sealOnce()
    const copy = answer.add(bytes)
    if (callback) callbacks.push(callback)
    return advance(() => native.write(copy, ...given.slice(1)))
  }

  const end = (...given: unknown[]): ServerResponse => {
    const { bytes, isNone, callback } = writtenChunk(given)
    const step = () => native.end(...given)
    if (passes() || (bytes === undefined && !isNone)) step()
    else if (answer.ended) waiting.push(step)
    else if (phase !== 'replaced') {
      head.sealOnce()
      const copy = bytes && answer.add(bytes)
      answer.end()
      if (callback) callbacks.push(callback)
      advance(copy === undefined ? step : () => native.end(copy, ...given.slice(1)))
      // An ended answer is always kept back for its record; for the handler it has left.
      head.pretendEnd()
    }
    return response
  }

  const writeHead = (...given: unknown[]): unknown => {
    if (passes()) return native.writeHead(...given)
    if (head.decided !== undefined) throw tooLate('write')
    const [status, reason, fields] = given
    // A status that Node refuses is refused now, while the handler can hear it.
    if (!(Number(status) >= 100 && Number(status) <= 999)) return native.writeHead(status)
    applyHead(response, status as number, reason as never, fields as never)
    head.seal()
    return response
  }

  const flushHeaders = (): void => {
    if (passes()) native.flushHeaders()
    else if (!answer.ended && phase !== 'replaced') {
      head.sealOnce()
      advance(() => native.flushHeaders())
    }
  }

  const destroy = (...given: unknown[]): unknown => {
    // Broken off from inside, before anything has left: nobody was told anything.
    if (phase === 'capturing' && !headLeft && !answer.ended && held === undefined) {
      breakOff({ ...answer.withoutBody(), status: 500 })
    }
    // Ended, and destroyed afterwards: the client of a response without us has its answer by then.
    if (phase === 'finishing' && given[0] === undefined && connection.cutLater()) return response
    return native.destroy(...given)
  }

  const onClose = (): void => {
    closed = true
    // The head has told the client something, and nothing will tell it the rest; or there will be no rest.
    if (phase === 'capturing' && !answer.ended && (headLeft || isPiped)) {
      breakOff(answer.withoutBody())
    }
    moveOnIfGone()
  }

  Object.assign(response, {
    write,
    end,
    writeHead,
    flushHeaders,
    destroy,
    setHeader: guarded('set', native.setHeader),
    appendHeader: guarded('append', native.appendHeader),
    removeHeader: guarded('remove', native.removeHeader),
    _implicitHeader: () => {
      // Those who patched the response inside the layer call it again and again until the head is out.
      if (passes()) native.implicitHeader()
      else head.sealOnce()
    },
  })

  return {
    hold: () => {
      if (headLeft || answer.ended || head.decided !== undefined || response.headersSent) {
        // Without a key there is nothing to commit the answer with: it is a plain transaction.
        if (!http.execution.protected) return
        throw answeredBefore()
      }
      held = { head: headOf(response), recall: remember() }
      phase = 'capturing'
    },
    given: (returned) => {
      if (answer.ended) return answer.whole()
      const returnedAnswer = answerOf(returned)
      return returnedAnswer && { ...returnedAnswer, outerHeaders: [], unmatched: false }
    },
    letGo: (returned) => {
      if (held === undefined) return
      const before = held
      held = undefined
      const returnedAnswer = answer.ended ? undefined : answerOf(returned)
      if (returnedAnswer) {
        // Of what the work has set beside it, nothing is in the record.
        native.run(() => restoreHead(response, before.head))
        give(returnedAnswer)
      } else if (answer.ended) finish(answer.whole())
      else if (!http.execution.protected) flush()
      moveOnIfGone()
    },
    restore: () => {
      if (held === undefined) return
      const before = held
      held = undefined
      head.unseal()
      answer.reset()
      waiting = []
      callbacks = []
      head.reveal()
      native.run(() => restoreHead(response, before.head))
      before.recall()
      if (!http.execution.protected) phase = 'passing'
      moveOnIfGone()
    },
    begin: () => {
      response.on('pipe', () => {
        isPiped = true
      })
      response.on('unpipe', () => {
        isPiped = false
      })
      if (response.closed) onClose()
      else response.once('close', onClose)
    },
    lose: () => {
      if (phase === 'capturing') breakOff(answer.withoutBody())
    },
  }
}

/** Node's own error, for who changes a head that is, for him, sent. */
const tooLate = (action: string): Error =>
  Object.assign(new Error(`Cannot ${action} headers after they are sent to the client`), {
    code: 'ERR_HTTP_HEADERS_SENT',
  })
