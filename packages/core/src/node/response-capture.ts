import type { ServerResponse } from 'node:http'
import { explain, IdempotencyError } from '../errors.js'
import type { GivenAnswer, HeldAnswer, HttpExecution } from '../http-execution.js'
import { mediaType } from '../request.js'
import { fieldLines, type HttpResponse, hasNoContent } from '../response.js'
import { createBodySoFar } from './body-so-far.js'
import { nativeOf } from './native-response.js'
import { applyHead, headOf, type ResponseHead, restoreHead, setPairs } from './response-head.js'
import { type WriteCallback, writtenChunk } from './written-chunk.js'

/** Takes the place of the methods by which a response is written; see `captureResponse`. */
export const createCapture = (
  response: ServerResponse,
  http: HttpExecution,
  isUnmatched: (body: Uint8Array) => boolean,
): HeldAnswer => {
  const native = nativeOf(response)
  const prototype: object = Object.getPrototypeOf(response)
  const outer = headOf(response)

  /**
   * `capturing` until the answer is whole, or known not to be kept; `finishing` while the store is asked; then
   * `passing`, or `replaced` where another answer went out in its place.
   */
  let phase: 'capturing' | 'finishing' | 'passing' | 'replaced' = 'capturing'
  /** The head as it was when a transaction began; `undefined` outside of one. */
  let held: ResponseHead | undefined
  /** The head as the handler has decided it; `undefined` while it may still change. */
  let head: ResponseHead | undefined
  let declaredLength: number | undefined
  let body = createBodySoFar(http.maxStoredBody)
  let headLeft = false
  let ended = false
  let closed = false
  /** What the handler did while its answer was kept back, in order. */
  let waiting: (() => unknown)[] = []
  let callbacks: WriteCallback[] = []

  const answer = (content: Uint8Array | undefined): GivenAnswer => {
    const { status, headers } = head ?? headOf(response)
    const unmatched = status === 404 && content !== undefined && isUnmatched(content)
    return { status, headers, outerHeaders: outer.headers, body: content, unmatched }
  }
  const wholeBody = (): Uint8Array | undefined =>
    hasNoContent(head?.status ?? 200) ? new Uint8Array() : body.whole()

  /** The head is decided: from here on it is, for the handler, sent. */
  const seal = (): void => {
    head = headOf(response)
    const length = fieldLines(head.headers, 'content-length')[0]
    declaredLength = length === undefined ? undefined : Number(length)
    // Those who patched the response in front of us have work to do when the head really leaves.
    Object.defineProperty(response, 'headersSent', {
      configurable: true,
      get: () => !native.isRunning() || Reflect.get(prototype, 'headersSent', response),
    })
  }
  const sealOnce = (): void => {
    // Through the outermost writeHead, so that those who set headers at the last moment do so before we look.
    if (head === undefined) response.writeHead(response.statusCode)
  }
  /** The head that leaves is the one that was decided: for the handler, a status set later came too late. */
  const decideHead = (): void => {
    if (head === undefined) return
    response.statusCode = head.status
    response.statusMessage = head.statusMessage
  }
  /** Ends the pretence that head and end have left. */
  const reveal = (): void => {
    Reflect.deleteProperty(response, 'headersSent')
    Object.assign(response, { finished: false })
  }

  /** Whether the answer, as far as it is known, can never be given again. */
  const isUnkeepable = (): boolean =>
    body.isTooLong ||
    head?.status === 101 ||
    (declaredLength ?? 0) > http.maxStoredBody ||
    mediaType(head && fieldLines(head.headers, 'content-type')[0]) === 'text/event-stream'
  const isWhole = (): boolean =>
    ended ||
    hasNoContent(head?.status ?? 200) ||
    (declaredLength !== undefined && body.size >= declaredLength)

  /** After every step of the handler: whether it may leave, or the record comes first. */
  const advance = (step: () => unknown): boolean => {
    if (phase === 'capturing' && held === undefined) {
      if (isWhole()) finish(wholeBody())
      else if (isUnkeepable() && http.keeps(answer(undefined))) finish(undefined)
    }
    if (phase === 'finishing' || held !== undefined) {
      waiting.push(step)
      return false
    }
    if (!headLeft) decideHead()
    const flowing = step() !== false
    // A source that waits for a client who has gone would never come to its end; the record wants the end.
    if (closed && !headLeft) return true
    headLeft = true
    return flowing
  }

  const finish = (content: Uint8Array | undefined): void => {
    phase = 'finishing'
    void http
      .finish(answer(content))
      .catch(() => undefined)
      .then((instead) => {
        if (instead === undefined) flush()
        else replace(instead)
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
    reveal()
    if (!headLeft) decideHead()
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
      native.destroy()
      return
    }
    reveal()
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
  /** A method that Node refuses once the head is sent. */
  const guarded =
    (action: string, method: (...given: unknown[]) => unknown) =>
    (...given: unknown[]): unknown => {
      if (!isPassing() && head !== undefined) throw tooLate(action)
      return method(...given)
    }

  const write = (...given: unknown[]): unknown => {
    const { bytes, callback } = writtenChunk(given)
    // A wrong chunk is Node's to refuse, and what comes after the end, when that has left.
    if (isPassing() || bytes === undefined) return native.write(...given)
    if (phase === 'replaced') return true
    if (ended) {
      waiting.push(() => native.write(...given))
      return false
    }
    sealOnce()
    const copy = body.add(bytes)
    if (callback) callbacks.push(callback)
    return advance(() => native.write(copy, ...given.slice(1)))
  }

  const end = (...given: unknown[]): ServerResponse => {
    const { bytes, isNone, callback } = writtenChunk(given)
    const step = () => native.end(...given)
    if (isPassing() || (bytes === undefined && !isNone)) step()
    else if (ended) waiting.push(step)
    else if (phase !== 'replaced') {
      sealOnce()
      const copy = bytes && body.add(bytes)
      ended = true
      if (callback) callbacks.push(callback)
      advance(copy === undefined ? step : () => native.end(copy, ...given.slice(1)))
      // An ended answer is always kept back for its record; for the handler it has left.
      Object.assign(response, { finished: true })
    }
    return response
  }

  const writeHead = (...given: unknown[]): unknown => {
    if (isPassing()) return native.writeHead(...given)
    if (head !== undefined) throw tooLate('write')
    const [status, reason, fields] = given
    // A status that Node refuses is refused now, while the handler can hear it.
    if (!(Number(status) >= 100 && Number(status) <= 999)) return native.writeHead(status)
    applyHead(response, status as number, reason as never, fields as never)
    seal()
    return response
  }

  const flushHeaders = (): void => {
    if (isPassing()) native.flushHeaders()
    else if (!ended && phase !== 'replaced') {
      sealOnce()
      advance(() => native.flushHeaders())
    }
  }

  const destroy = (...given: unknown[]): unknown => {
    // Broken off from inside, before anything has left: nobody was told anything.
    if (phase === 'capturing' && !headLeft && !ended && held === undefined) {
      breakOff({ ...answer(undefined), status: 500 })
    }
    return native.destroy(...given)
  }

  const onClose = (): void => {
    closed = true
    // The head has told the client something, and nothing will tell it the rest.
    if (phase === 'capturing' && !ended && headLeft) breakOff(answer(undefined))
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
      if (isPassing()) native.implicitHeader()
      else sealOnce()
    },
  })
  response.once('close', onClose)

  return {
    hold: () => {
      if (headLeft || ended || head !== undefined || response.headersSent) {
        // Without a key there is nothing to commit the answer with: it is a plain transaction.
        if (!http.execution.protected) return
        throw answerGiven()
      }
      held = headOf(response)
      phase = 'capturing'
    },
    given: () => (ended ? answer(wholeBody()) : undefined),
    letGo: () => {
      if (held === undefined) return
      held = undefined
      if (ended) finish(wholeBody())
      else if (!http.execution.protected) flush()
    },
    restore: () => {
      if (held === undefined) return
      const before = held
      held = undefined
      head = undefined
      declaredLength = undefined
      body = createBodySoFar(http.maxStoredBody)
      ended = false
      waiting = []
      callbacks = []
      reveal()
      native.run(() => restoreHead(response, before))
      if (!http.execution.protected) phase = 'passing'
    },
  }
}

/** Node's own error, for who changes a head that is, for him, sent. */
const tooLate = (action: string): Error =>
  Object.assign(new Error(`Cannot ${action} headers after they are sent to the client`), {
    code: 'ERR_HTTP_HEADERS_SENT',
  })

const answerGiven = (): IdempotencyError =>
  new IdempotencyError(
    'answer-missing',
    explain(
      'answer-missing',
      'the answer to be given inside the transaction',
      'one that was begun before it',
      'It cannot be committed together with the effects, so nothing was run.',
    ),
  )
