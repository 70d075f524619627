import { type Agent, type IncomingMessage, request as openRequest } from 'node:http'
import type { HeaderPairs } from '@retrysafe/core'
import { until, within } from './waiting.js'

/** A request as a client sends it: POST /orders unless told otherwise. */
export interface ClientRequest {
  readonly method?: string
  readonly path?: string
  /** The lines of Idempotency-Key, as sent. */
  readonly key?: string | readonly string[]
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  /** The body as JSON, with its media type. */
  readonly json?: unknown
}

/** An answer as it arrived: nothing decoded, nothing joined. */
export interface ClientAnswer {
  readonly status: number
  readonly headers: HeaderPairs
  readonly body: Buffer
  /** Whether it came to its end; else the connection broke. */
  readonly isWhole: boolean
  /** The lines of a field, joined; `undefined` where there is none. */
  header(name: string): string | undefined
  lines(name: string): string[]
  text(): string
  json(): Record<string, unknown>
}

/** A request under way. */
export interface Conversation {
  /** The status, when the head has arrived. */
  head(): Promise<number>
  /** The answer when it is over, whole or broken off; rejects where no head came. */
  answer(): Promise<ClientAnswer>
  /** What has arrived of the body. */
  received(): Buffer
  hasHead(): boolean
  isOver(): boolean
  /** Resolves when at least so many bytes of the body have arrived. */
  receives(bytes: number): Promise<void>
  /** The client goes away. */
  hangUp(): void
}

/** @param agent Keeps connections for later requests; without one each request has its own. */
export const converse = (
  port: number,
  request: ClientRequest,
  agent: Agent | false = false,
): Conversation => {
  const { method = 'POST', path = '/orders', key, headers = {}, json } = request
  const body = json === undefined ? request.body : JSON.stringify(json)
  const outgoing = openRequest({ port, host: '127.0.0.1', method, path, agent })
  if (json !== undefined) outgoing.setHeader('Content-Type', 'application/json')
  for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value)
  if (key !== undefined) outgoing.setHeader('Idempotency-Key', key)

  const chunks: Buffer[] = []
  let headed = false
  let over = false
  const incoming = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).on('error', reject)
  })
  const answer = incoming.then(
    (message) =>
      new Promise<ClientAnswer>((resolve) => {
        headed = true
        message.on('data', (chunk: Buffer) => chunks.push(chunk))
        // A connection that breaks says `aborted` or `error` first; it is the missing end that counts.
        message.on('error', () => {})
        message.once('close', () => {
          over = true
          resolve(answerOf(message, Buffer.concat(chunks)))
        })
      }),
  )
  // Some guarantees hang up and look at nothing that comes after.
  answer.catch(() => {})
  outgoing.end(body)
  return {
    head: async () => (await within('the head of an answer', incoming)).statusCode ?? 0,
    answer: () => within('an answer', answer),
    received: () => Buffer.concat(chunks),
    hasHead: () => headed,
    isOver: () => over,
    receives: (bytes) =>
      until(`${bytes} bytes have arrived`, () => Buffer.concat(chunks).length >= bytes),
    hangUp: () => outgoing.destroy(),
  }
}

/** Sends, and waits for the whole answer. */
export const send = (port: number, request: ClientRequest): Promise<ClientAnswer> =>
  converse(port, request).answer()

const answerOf = (message: IncomingMessage, body: Buffer): ClientAnswer => {
  const headers: [string, string][] = []
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2)
    headers.push([message.rawHeaders[at] ?? '', message.rawHeaders[at + 1] ?? ''])
  const lines = (name: string) =>
    headers
      .filter(([given]) => given.toLowerCase() === name.toLowerCase())
      .map(([, value]) => value)
  return {
    status: message.statusCode ?? 0,
    headers,
    body,
    isWhole: message.complete,
    header: (name) => (lines(name).length === 0 ? undefined : lines(name).join(', ')),
    lines,
    text: () => body.toString('utf8'),
    json: () => JSON.parse(body.toString('utf8')) as Record<string, unknown>,
  }
}
