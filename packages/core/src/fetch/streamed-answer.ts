import { createBodySoFar } from '../body-so-far.js'
import type { GivenAnswer } from '../http-execution.js'

/** What a body that has to be read is captured for. */
export interface StreamTerms {
  readonly given: (body: Uint8Array | undefined) => GivenAnswer
  /** Ends the record; answers what is to be sent in place of the answer. */
  readonly settle: (answer: GivenAnswer) => Promise<Response | undefined>
  readonly keeps: () => boolean
  readonly maxStoredBody: number
  readonly declaredLength: number | undefined
  readonly isGone: () => boolean
  /** What the body goes out as where it was read whole. */
  readonly rebuilt: (body: Uint8Array | ReadableStream<Uint8Array> | null) => Response
  /** Whether the answer was made of a stream, and is to stay one. */
  readonly isStream: boolean
}

/**
 * Passes a body on as the client takes it, and keeps back what would tell that it is whole: its end, or the byte that
 * reaches its declared length; and the byte that makes it too long to be kept. Each until the record says so.
 */
export const streamedAnswer = async (
  content: ReadableStream<unknown>,
  terms: StreamTerms,
): Promise<Response> => {
  const { given, settle, keeps, maxStoredBody, declaredLength, rebuilt } = terms
  const source = content.getReader()
  const body = createBodySoFar(maxStoredBody)
  /** Read in the first turn, and not handed on. */
  const ready: Uint8Array[] = []
  /** How many of those have passed `admit`. */
  let admitted = 0
  let reading: ReturnType<typeof source.read> | undefined
  let recorded = false
  /** Whether anybody has asked for a byte: then the head has left. */
  let asked = false
  let cancelled = false

  const read = (): ReturnType<typeof source.read> => {
    if (reading === undefined) {
      reading = source.read()
      // Nobody may ever ask for it.
      reading.catch(() => {})
    }
    return reading
  }
  const next = async (): Promise<Uint8Array | undefined> => {
    const before = ready.shift()
    if (before !== undefined) return before
    const { done, value } = await read()
    reading = undefined
    return done ? undefined : bytesOf(value)
  }
  const discard = (reason?: unknown): void => void source.cancel(reason).catch(() => {})

  const record = async (answer: GivenAnswer): Promise<Response | undefined> => {
    if (recorded) return undefined
    recorded = true
    return settle(answer)
  }
  const isWhole = (size: number): boolean => declaredLength !== undefined && size >= declaredLength
  /** Counts a chunk before it leaves; ends the record where it makes certain what becomes of the answer. */
  const admit = async (chunk: Uint8Array): Promise<Response | undefined> => {
    if (admitted > 0) admitted--
    else if (!recorded) {
      if (!body.isTooLong) body.add(chunk)
      if (isWhole(body.size)) return record(given(body.whole()))
      if (body.isTooLong && keeps()) return record(given(undefined))
    }
    return undefined
  }

  /** Whether the body came to its end within this turn of the event loop. */
  const readTurn = async (): Promise<boolean> => {
    const over = endOfTurn()
    for (let size = 0; size <= maxStoredBody && !isWhole(size); ) {
      const result = await Promise.race([read(), over])
      if (result === undefined) return false
      reading = undefined
      if (result.done) return true
      const chunk = bytesOf(result.value)
      ready.push(chunk)
      size += chunk.length
    }
    return false
  }
  /** For a client that has gone before it was told anything: its retry finds the answer. */
  const readOn = async (): Promise<Response | undefined> => {
    for (let chunk = await next(); chunk !== undefined; chunk = await next()) await admit(chunk)
    return record(given(body.whole()))
  }

  try {
    const isOver = await readTurn()
    const size = ready.reduce((sum, chunk) => sum + chunk.length, 0)
    let instead: Response | undefined
    if (isOver || isWhole(size)) {
      for (const chunk of ready) body.add(chunk)
      instead = await record(given(body.whole()))
    } else if (ready[0] !== undefined) {
      instead = await admit(ready[0])
      admitted = 1
    }
    if (instead !== undefined) {
      discard()
      return instead
    }
    if (isOver) return rebuilt(terms.isStream ? streamOf(ready) : Buffer.concat(ready, size))
    if (!recorded && terms.isGone()) return (await readOn()) ?? rebuilt(null)
  } catch (error) {
    // Nothing has left: for the client it is as if the handler had thrown.
    const instead = await record({ ...given(undefined), status: 500 })
    if (instead !== undefined) return instead
    throw error
  }

  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    asked = true
    try {
      const chunk = await next()
      const instead = await (chunk === undefined ? record(given(body.whole())) : admit(chunk))
      if (cancelled) return
      if (instead !== undefined) {
        discard()
        // Half of an answer that does not stand: a broken connection makes the client ask again.
        controller.error(new Error('Another answer stands for this key; this one was broken off.'))
      } else if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    } catch (error) {
      void record(given(undefined))
      if (!cancelled) controller.error(error)
    }
  }
  const cancel = (reason: unknown): void => {
    cancelled = true
    if (asked || recorded) {
      // The head has told the client something, and nothing will tell it the rest.
      void record(given(undefined))
      discard(reason)
    } else readOn().catch(() => record({ ...given(undefined), status: 500 }))
  }
  return rebuilt(new ReadableStream({ pull, cancel }, { highWaterMark: 0 }))
}

const utf8 = new TextEncoder()

/** A source that gives text is as good as one that gives bytes; what else it gives no server can send. */
const bytesOf = (chunk: unknown): Uint8Array => {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk === 'string') return utf8.encode(chunk)
  throw new TypeError(`A body is made of bytes, got ${typeof chunk}.`)
}

const streamOf = (chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })

const endOfTurn = (): Promise<undefined> =>
  new Promise((resolve) => {
    setImmediate(() => resolve(undefined))
  })
