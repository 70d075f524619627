import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import type { Execution } from '../../src/execution.js'
import { createHttpIdempotency } from '../../src/http-idempotency.js'
import { captureResponse, nodeRequest, sendReply } from '../../src/node/index.js'
import type { IdempotencyOptions } from '../../src/options.js'
import { type FaultyStore, faultyStore } from '../faulty-store.js'
import { heardEvents } from '../heard-events.js'

export type Handler = (
  response: ServerResponse,
  execution: Execution,
  message: IncomingMessage,
) => unknown

/** What stands around the layer on a server without a framework. */
export interface Around {
  /** Runs in front of the layer, and may answer. */
  readonly front?: (response: ServerResponse) => unknown
  /** Another mount of the layer behind the first. */
  readonly second?: Partial<IdempotencyOptions<IncomingMessage>>
}

const open = new Set<() => Promise<void>>()

afterEach(async () => {
  for (const close of open) await close()
  open.clear()
})

/** A listener of `node:http` behind the layer: what a binding has to do, and no more. */
export const bareListener = (
  handler: Handler,
  options: Partial<IdempotencyOptions<IncomingMessage>> = {},
  { front, second }: Around = {},
) => {
  const store: FaultyStore = faultyStore()
  const layer = createHttpIdempotency<IncomingMessage>({ store, scope: 'global', ...options })
  const layers = [layer]
  if (second) {
    layers.push(createHttpIdempotency({ store, scope: 'global', ...options, ...second }))
  }
  const errors: unknown[] = []

  const handle = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    await front?.(response)
    let execution: Execution | undefined
    for (const { begin } of layers) {
      const begun = await begin(nodeRequest({ native: message, message }))
      if (begun.kind === 'reply') return sendReply(message, response, begun.reply)
      if (!captureResponse(response, begun.http)) return
      execution = begun.http.execution
    }
    if (execution) await handler(response, execution, message)
  }
  const listener = (message: IncomingMessage, response: ServerResponse): void => {
    // The error handling of a framework.
    handle(message, response).catch((error: unknown) => {
      errors.push(error)
      response.statusCode = 500
      response.end('own')
    })
  }
  return { store, listener, errors, heard: heardEvents(layer.events) }
}

const listening = async (server: Server | Http2Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
const closed = (server: Server | Http2Server): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()))

export interface Sent {
  readonly key?: string
  readonly body?: string
}

/** Sends POST requests by HTTP/1.1. */
export const overHttp1 = async (listener: ReturnType<typeof bareListener>['listener']) => {
  const server = createServer(listener)
  const origin = await listening(server)
  open.add(() => {
    server.closeAllConnections()
    return closed(server)
  })
  return async ({ key, body = '' }: Sent = {}): Promise<string> => {
    const headers = { 'Content-Type': 'text/plain', ...(key && { 'Idempotency-Key': key }) }
    const answer = await fetch(`${origin}/orders`, { method: 'POST', headers, body })
    return `${answer.status} ${await answer.text()}`
  }
}

/** The same by HTTP/2, where no field says that there is a body. */
export const overHttp2 = async (listener: ReturnType<typeof bareListener>['listener']) => {
  const server = createHttp2Server((request, response) =>
    listener(request as never, response as never),
  )
  const session = connect(await listening(server))
  open.add(() => {
    session.destroy()
    return closed(server)
  })
  return ({ key, body = '' }: Sent = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/orders',
        'content-type': 'text/plain',
        ...(key && { 'idempotency-key': key }),
      })
      let status = ''
      let text = ''
      stream.once('response', (fields) => {
        status = String(fields[':status'])
      })
      stream.on('data', (chunk) => {
        text += chunk
      })
      stream.once('end', () => resolve(`${status} ${text}`)).once('error', reject)
      stream.end(body)
    })
}
