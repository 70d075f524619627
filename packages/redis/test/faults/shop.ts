import { randomUUID } from 'node:crypto'
import { appendFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createHttpIdempotency,
  type Events,
  type Execution,
  type IdempotencyOptions,
  type IdempotencyStore,
} from '@retrysafe/core'
import { captureResponse, nodeRequest, sendReply } from '@retrysafe/core/node'

/** The options of the layer that can be told to another process too. */
export type ShopOptions = Partial<Omit<IdempotencyOptions<IncomingMessage>, 'store'>>

export interface ShopTerms {
  readonly store: IdempotencyStore
  /** The file that the effects are written to, a line each. */
  readonly effects: string
  /** The paths at which orders are taken, each with options of its own. */
  readonly routes: Readonly<Record<string, ShopOptions>>
  /** What the handler does between its effect and its answer. */
  readonly during?: ((execution: Execution, path: string) => unknown) | undefined
  /** Part of every answer. */
  readonly remark?: string | undefined
}

/** An application that takes orders. */
export interface Shop {
  readonly port: number
  /** Of the layer at a path. */
  events(path: string): Events
  /** What it was given is closed too. */
  close(): Promise<void>
}

/** Serves orders on a free port: what a binding has to do, and no more. Each run answers other bytes. */
export const startShop = async ({
  store,
  effects,
  routes,
  during,
  remark,
}: ShopTerms): Promise<Shop> => {
  const layers = new Map(
    Object.entries(routes).map(([path, options]) => [
      path,
      createHttpIdempotency<IncomingMessage>({ store, scope: 'global', ...options }),
    ]),
  )
  const layerAt = (path: string) => {
    const layer = layers.get(path)
    if (layer) return layer
    throw new Error(`There is no route ${path}`)
  }

  const take = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = String(message.url)
    const begun = await layerAt(path).begin(nodeRequest({ native: message, message }))
    if (begun.kind === 'reply') return sendReply(message, response, begun.reply)
    if (!captureResponse(response, begun.http)) return
    const { execution } = begun.http
    const { key, attempt, after } = execution
    await appendFile(effects, `${key}\n`)
    await during?.(execution, path)
    const body = JSON.stringify({ order: randomUUID(), attempt, after, remark })
    response.writeHead(201, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    })
    response.end(body)
  }
  const server = createServer((message, response) => {
    take(message, response).catch((error: unknown) => {
      response.statusCode = 500
      response.end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    events: (path) => layerAt(path).events,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await Promise.all([...layers.values()].map((layer) => layer.close()))
    },
  }
}
