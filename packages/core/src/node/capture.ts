import type { ServerResponse } from 'node:http'
import { explain, IdempotencyError } from '../errors.js'
import type { GivenAnswer, HeldAnswer, HttpExecution } from '../http-execution.js'
import { mediaType } from '../request.js'
import { fieldLines, type HttpResponse, hasNoContent } from '../response.js'
import { applyHead, headOf, type ResponseHead, restoreHead, setPairs } from './response-head.js'

type Callback = (error?: Error | null) => void

export interface CaptureOptions {
  /** Whether no route took the request and the framework itself gives this 404. */
  readonly isUnmatched?: (body: Uint8Array) => boolean
}

/**
 * Listens to what a handler writes on a `ServerResponse` and keeps back as little as it can: the end of the
 * answer, until its record is durable. For the handler nothing changes, save when its last byte leaves.
 *
 * The head leaves with the first byte that does, so an answer given in one piece is held as a whole and can
 * still be replaced by what stands, where the lease was lost.
 */
export const captureResponse = (
  response: ServerResponse,
  http: HttpExecution,
  options: CaptureOptions = {},
): void => {
  // A second mount with the same options shares the execution of the first.
  if (captured.has(http)) return
  captured.add(http)
  if (http.execution.protected) http.lend(createCapture(response, http, options))
  else http.lend(capturedWhenHeld(response, http, options))
}

/** Without a key there is nothing to capture for, unless a transaction holds the answer. */
const capturedWhenHeld = (
  response: ServerResponse,
  http: HttpExecution,
  options: CaptureOptions,
): HeldAnswer => {
  let capture: HeldAnswer | undefined
  return {
    hold: () => {
      capture ??= createCapture(response, http, options)
      capture.hold()
    },
    given: () => capture?.given(),
    letGo: () => capture?.letGo(),
    restore: () => capture?.restore(),
  }
}

const captured = new WeakSet<HttpExecution>()

const createCapture = (
  response: ServerResponse,
  http: HttpExecution,
  { isUnmatched = () => false }: CaptureOptions,
): HeldAnswer => {
  const native = {
    writeHead: response.writeHead,
    write: response.write,
    end: response.end,
    flushHeaders: response.flushHeaders,
    setHeader: response.setHeader,
    appendHeader: response.appendHeader,
    removeHeader: response.removeHeader,
    destroy: response.destroy,
    implicitHeader: (response as unknown as { _implicitHeader(): void })._implicitHeader,
  }
  const prototype: object = Object.getPrototypeOf(response)
  const outer = headOf(response)

  /**
   * `capturing` until the answer is whole, or known not to be kept; `finishing` while the store is asked; then
   * `passing`, or `replaced` where another answer went out in its place.
   */
  let phase: 'capturing' | 'finishing' | 'passing' | 'replaced' = 'capturing'
  let held: ResponseHead | undefined
  let head: ResponseHead | undefined
  let declaredLength: number | undefined
  let headLeft = false
  let ended = false
  let closed = false
  let chunks: Uint8Array[] | undefined = []
  let size = 0
  /** What the handler did while its answer was kept back, in order. */
  let waiting: (() => unknown)[] = []
  let callbacks: Callback[] = []
  /** Calls of Node's own methods, or of those who patched them in front of us, go through untouched. */
  let inside = false

  const natively = <T>(action: () => T): T => {
    const before = inside
    inside = true
    try {
      return action()
    } finally {
      inside = before
    }
  }

  const answer = (body: Uint8Array | undefined): GivenAnswer => {
    const { status, headers } = head ?? headOf(response)
    const unmatched = status === 404 && body !== undefined && isUnmatched(body)
    return { status, headers, outerHeaders: outer.headers, body, unmatched }
  }
  const wholeBody = (): Uint8Array | undefined => {
    if (hasNoContent(head?.status ?? 200)) return new Uint8Array()
    return chunks && Buffer.concat(chunks, size)
  }
  /** Copied, since the handler may fill its buffer again while the answer is kept back. */
  const record = (chunk: Uint8Array): Uint8Array => {
    const copy = Buffer.from(chunk)
    size += copy.length
    if (size > http.maxStoredBody) chunks = undefined
    else chunks?.push(copy)
    return copy
  }

  /** The head is decided: from here on it is, for the handler, sent. */
  const seal = (): void => {
    head = headOf(response)
    const length = fieldLines(head.headers, 'content-length')[0]
    declaredLength = length === undefined ? undefined : Number(length)
    // Those who patched the response in front of us have work to do when the head really leaves.
    Object.defineProperty(response, 'headersSent', {
      configurable: true,
      get: () => !inside || (Reflect.get(prototype, 'headersSent', response) as boolean),
    })
  }
  const sealed = (): boolean => head !== undefined
  const sealOnce = (): void => {
    // Through the outermost writeHead, so that those who set headers at the last moment do so before we look.
    if (!sealed()) response.writeHead(response.statusCode)
  }

  /** Whether the answer, as far as it is known, can never be given again. */
  const isUnkeepable = (): boolean =>
    chunks === undefined ||
    head?.status === 101 ||
    (declaredLength ?? 0) > http.maxStoredBody ||
    mediaType(head && fieldLines(head.headers, 'content-type')[0]) === 'text/event-stream'
  const isWhole = (): boolean =>
    ended ||
    hasNoContent(head?.status ?? 200) ||
    (declaredLength !== undefined && size >= declaredLength)

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
    const flowing = natively(step) !== false
    // A source that waits for a client who has gone would never come to its end; the record wants the end.
    if (closed && !headLeft) return true
    headLeft = true
    return flowing
  }

  const finish = (body: Uint8Array | undefined): void => {
    phase = 'finishing'
    void http
      .finish(answer(body))
      .catch(() => undefined)
      .then((instead) => {
        if (instead === undefined) flush()
        else replace(instead)
      })
  }

  /** The handler's own steps, now for real. */
  const flush = (): void => {
    phase = 'passing'
    const steps = waiting
    waiting = []
    callbacks = []
    reveal()
    let flowing = true
    for (const step of steps) {
      headLeft = true
      try {
        flowing = natively(step) !== false
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
      natively(() => response.destroy())
      return
    }
    reveal()
    natively(() => {
      restoreHead(response, { ...outer, statusMessage: '' })
      response.statusCode = instead.status
      setPairs(response, instead.headers)
      for (const callback of callbacks) response.once('finish', () => callback())
      headLeft = true
      if (hasNoContent(instead.status)) native.end.call(response, undefined as never, 'utf8')
      else {
        response.setHeader('Content-Length', instead.body.length)
        native.end.call(response, instead.body, 'utf8')
      }
    })
  }

  /** Ends the pretence that head and end have left. */
  const reveal = (): void => {
    delete (response as { headersSent?: boolean }).headersSent
    ;(response as { finished: boolean }).finished = false
  }

  const tooLate = (action: string): Error =>
    Object.assign(new Error(`Cannot ${action} headers after they are sent to the client`), {
      code: 'ERR_HTTP_HEADERS_SENT',
    })
  const isPassing = (): boolean => inside || phase === 'passing'
  const guarded =
    <Arguments extends unknown[], Result>(
      action: string,
      method: (...given: Arguments) => Result,
    ): ((...given: Arguments) => Result) =>
    (...given) => {
      if (!isPassing() && sealed()) throw tooLate(action)
      return method.apply(response, given)
    }

  const toBytes = (chunk: unknown, encoding: unknown): Uint8Array | undefined => {
    if (typeof chunk === 'string') {
      return Buffer.from(
        chunk,
        typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8',
      )
    }
    return chunk instanceof Uint8Array ? chunk : undefined
  }
  const callbackIn = (...given: unknown[]): Callback | undefined =>
    given.find((value) => typeof value === 'function') as Callback | undefined

  const write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    const bytes = toBytes(chunk, encoding)
    const step = (): boolean =>
      native.write.call(response, chunk, encoding as never, callback as never)
    // A wrong chunk is Node's to refuse, and what comes after the end, when that has left.
    if (isPassing() || bytes === undefined) return natively(step)
    if (phase === 'replaced') return true
    if (ended) {
      waiting.push(step)
      return false
    }
    sealOnce()
    const copy = record(bytes)
    const done = callbackIn(encoding, callback)
    if (done) callbacks.push(done)
    return advance(() => native.write.call(response, copy, encoding as never, callback as never))
  }

  const end = (chunk?: unknown, encoding?: unknown, callback?: unknown): ServerResponse => {
    const isEmpty = chunk === undefined || chunk === null || typeof chunk === 'function'
    const bytes = isEmpty ? new Uint8Array() : toBytes(chunk, encoding)
    const step = (): unknown =>
      native.end.call(response, chunk, encoding as never, callback as never)
    if (isPassing() || bytes === undefined) {
      natively(step)
      return response
    }
    if (phase === 'replaced') return response
    if (ended) {
      waiting.push(step)
      return response
    }
    sealOnce()
    if (bytes.length > 0) record(bytes)
    ended = true
    const done = callbackIn(chunk, encoding, callback)
    if (done) callbacks.push(done)
    advance(step)
    // An ended answer is always kept back for its record; for the handler it has left.
    ;(response as { finished: boolean }).finished = true
    return response
  }

  const writeHead = (status: number, reason?: unknown, headers?: unknown): ServerResponse => {
    if (isPassing())
      return (native.writeHead as (...given: unknown[]) => ServerResponse).call(
        response,
        status,
        reason,
        headers,
      )
    if (sealed()) throw tooLate('write')
    // A status that Node refuses is refused now, while the handler can hear it.
    if (!(status >= 100 && status <= 999))
      return natively(() => native.writeHead.call(response, status))
    applyHead(response, status, reason as never, headers as never)
    seal()
    return response
  }

  const flushHeaders = (): void => {
    if (isPassing()) {
      natively(() => native.flushHeaders.call(response))
      return
    }
    if (ended || phase === 'replaced') return
    sealOnce()
    advance(() => native.flushHeaders.call(response))
  }

  const destroy = (error?: Error): ServerResponse => {
    // Broken off from inside, before anything has left: nobody was told anything.
    if (phase === 'capturing' && !headLeft && !ended && held === undefined) {
      phase = 'passing'
      void http.finish({ ...answer(undefined), status: 500 })
    }
    return native.destroy.call(response, error)
  }

  const onClose = (): void => {
    closed = true
    if (phase !== 'capturing' || ended) return
    // The head has told the client something, and nothing will tell it the rest.
    if (headLeft) {
      phase = 'passing'
      void http.finish(answer(undefined))
    }
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
      if (isPassing()) native.implicitHeader.call(response)
      else sealOnce()
    },
  })
  response.once('close', onClose)

  return {
    hold: () => {
      if (headLeft || ended || sealed() || response.headersSent) {
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
      ended = false
      chunks = []
      size = 0
      waiting = []
      callbacks = []
      reveal()
      natively(() => restoreHead(response, before))
      if (!http.execution.protected) phase = 'passing'
    },
  }
}

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
