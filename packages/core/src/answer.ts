import { processWide } from './process-wide.js'
import { type HeaderPairs, type HttpResponse, hasNoContent, isField } from './response.js'

/** A `Response` whose bytes are known without reading it. Made by `answer()` alone. */
export type Answer = Response & { readonly [known]: true }

declare const known: unique symbol

const answers = processWide('answers', () => new WeakMap<object, HttpResponse>())

/**
 * An answer as a value: what the work of a `transaction()` returns where the framework's own response cannot be
 * read at once (Hono, Koa), and what `onReplay`, `onDoubt` and `resolve` give. It is a `Response`, so a fetch
 * handler may return it.
 *
 * @param status From 200 to 599; else `RangeError`.
 * @param body Text and bytes go as they are, nothing is an empty body, anything else is JSON; else `TypeError`.
 * @param headers By name or as pairs; a Content-Type here wins over the one that the body suggests. What no field of
 * HTTP can hold is a `TypeError`.
 *
 * @example
 * app.post('/adjustments', once, (c) =>
 *   store.transaction(c.var.idempotency, () => answer(201, adjust.get(sku, delta))),
 * )
 */
export const answer = (
  status: number,
  body?: unknown,
  headers: HeaderPairs | Readonly<Record<string, string>> = [],
): Answer => {
  const pairs = (isPairs(headers) ? headers : Object.entries(headers)).map(fieldOf)
  const { bytes, type } = contentOf(hasNoContent(status) ? undefined : body)
  const isTyped =
    type === undefined || pairs.some(([name]) => name.toLowerCase() === 'content-type')
  const all: HeaderPairs = isTyped ? pairs : [['Content-Type', type], ...pairs]
  const content = hasNoContent(status) ? null : (bytes as Uint8Array<ArrayBuffer>)
  const response = new Response(content, { status, headers: all as [string, string][] })
  answers.set(response, { status, headers: all, body: bytes })
  return response as Answer
}

/** What `answer()` was given; `undefined` for anything else. */
export const answerOf = (value: unknown): HttpResponse | undefined =>
  typeof value === 'object' && value !== null ? answers.get(value) : undefined

const isPairs = (headers: object): headers is HeaderPairs => Array.isArray(headers)

/** As it will be sent, and as a record can hold it: the effects of a transaction stand with it. */
const fieldOf = ([name, value]: HeaderPairs[number]): HeaderPairs[number] => {
  // White space around it does not count (RFC 9110, section 5.5).
  const field = [name, String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '')] as const
  if (isField(field)) return field
  throw new TypeError(`answer() expects fields that HTTP can hold; "${name}" is none.`)
}

const contentOf = (body: unknown): { bytes: Uint8Array; type?: string } => {
  if (body === undefined) return { bytes: new Uint8Array() }
  if (typeof body === 'string') {
    return { bytes: Buffer.from(body, 'utf8'), type: 'text/plain; charset=utf-8' }
  }
  // A copy: whoever goes on to use his buffer must not change what was answered.
  if (body instanceof Uint8Array) {
    return { bytes: new Uint8Array(body), type: 'application/octet-stream' }
  }
  return { bytes: Buffer.from(jsonOf(body), 'utf8'), type: 'application/json' }
}

const jsonOf = (body: unknown): string => {
  const json: string | undefined = JSON.stringify(body)
  if (json !== undefined) return json
  throw new TypeError(`answer() expects a body that JSON can tell, got a ${typeof body}.`)
}
