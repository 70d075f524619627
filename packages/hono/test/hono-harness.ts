import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type ServerType } from '@hono/node-server'
import {
  type BindingHarness,
  nativeOptions,
  type SuiteAnswer,
  type SuiteApplication,
  type SuiteOptions,
  type SuiteRoute,
} from '@retrysafe/conformance'
import type { HeaderPairs } from '@retrysafe/core'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { StatusCode } from 'hono/utils/http-status'
import { type HonoIdempotency, type IdempotencyVariables, idempotency } from '../src/index.js'

type Variables = IdempotencyVariables & { parsed: unknown }
type App = Hono<{ Variables: Variables }>

/** The suite's applications in Hono, as its users would write them. */
export const honoHarness = async (): Promise<BindingHarness> => {
  const options = nativeOptions<Context>((c) => ({ header: (name) => c.req.header(name) }))
  const servers: ServerType[] = []

  const applicationOf = ({ everywhere = [], routes, onError }: SuiteApplication) => {
    const app: App = new Hono()
    const operations: HonoIdempotency[] = []
    const mount = (given: SuiteOptions): MiddlewareHandler => {
      const layer = idempotency(options(given))
      operations.push(layer)
      return layer
    }
    if (onError) app.onError((error, c) => give(c, onError(error)))
    for (const layer of everywhere) app.use(mount(layer))
    for (const route of routes) {
      const home: App = route.under === undefined ? app : new Hono()
      home.on(
        route.method,
        [route.path],
        ...inFront(route),
        ...route.layers.map(mount),
        ...(route.parser === 'after' ? [parser] : []),
        handlerOf(route),
      )
      if (route.under !== undefined) app.route(route.under, home)
    }
    return { app, operations }
  }

  return {
    serve: async (application) => {
      const { app, operations } = applicationOf(application)
      const server = createAdaptorServer({ fetch: app.fetch })
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return { port: (server.address() as AddressInfo).port, operations }
    },
    close: async () => {
      for (const server of servers) {
        if ('closeAllConnections' in server) server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

/** Hono brings no body parser; its users write this one. */
const parser: MiddlewareHandler<{ Variables: Variables }> = async (c, next) => {
  const type = c.req.header('content-type')?.split(';', 1)[0] ?? ''
  if (type.endsWith('json')) c.set('parsed', await c.req.json().catch(() => undefined))
  if (type.endsWith('x-www-form-urlencoded')) c.set('parsed', await c.req.parseBody({ all: true }))
  await next()
}

const inFront = ({ parser: place, outer }: SuiteRoute): MiddlewareHandler[] => {
  const chain: MiddlewareHandler[] = []
  if (outer) {
    chain.push(async (c, next) => {
      setFields(c, outer())
      await next()
    })
  }
  if (place === 'before') chain.push(parser)
  if (place === 'swallowed') {
    chain.push(async (c, next) => {
      await c.req.raw.text()
      await next()
    })
  }
  return chain
}

const handlerOf =
  ({ parser: place, handler }: SuiteRoute) =>
  async (c: Context<{ Variables: Variables }>): Promise<Response> =>
    give(
      c,
      await handler({
        execution: c.var.idempotency,
        header: (name) => c.req.header(name),
        body: async () =>
          place === 'none' || place === 'swallowed'
            ? new Uint8Array(await c.req.arrayBuffer())
            : c.var.parsed,
        error: (status, message) => new HTTPException(status as 400, { message }),
      }),
    )

const give = (c: Context, answer: SuiteAnswer): Response => {
  if (answer.kind === 'given') return answer.answer
  const status = answer.status as StatusCode
  switch (answer.kind) {
    case 'json':
      return c.json(answer.value, status as 200)
    case 'whole':
      setFields(c, answer.headers)
      return answer.body.length === 0
        ? c.body(null, status)
        : c.body(Uint8Array.from(answer.body), status as 200)
    case 'stream':
      setFields(c, answer.headers)
      return c.body(streamOf(answer.chunks), status as 200)
  }
}

/** The first line of a name replaces what stood there. */
const setFields = (c: Context, headers: HeaderPairs): void => {
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    c.header(name, value, { append: seen.has(name) })
    seen.add(name)
  }
}

const streamOf = (chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const source = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await source.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => void source.return?.(),
  })
}
