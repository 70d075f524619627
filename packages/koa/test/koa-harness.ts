import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parse } from 'node:querystring'
import { Readable } from 'node:stream'
import Router from '@koa/router'
import {
  type BindingHarness,
  nativeOptions,
  type SuiteAnswer,
  type SuiteApplication,
  type SuiteOptions,
  type SuiteRoute,
} from '@retrysafe/conformance'
import type { HeaderPairs } from '@retrysafe/core'
import type { Context, Middleware } from 'koa'
import { idempotency, type KoaIdempotency } from '../src/index.js'
import type { KoaModule } from './versions.js'

/** The suite's applications in Koa, as its users would write them. */
export const koaHarness = async (Koa: KoaModule): Promise<BindingHarness> => {
  const options = nativeOptions<Context>((ctx) => ({
    header: (name) => ctx.get(name) || undefined,
  }))
  const servers: Server[] = []

  const applicationOf = ({ everywhere = [], routes, onError }: SuiteApplication) => {
    const app = new Koa()
    app.silent = true
    const operations: KoaIdempotency[] = []
    const mount = (given: SuiteOptions): Middleware => {
      const layer = idempotency(options(given))
      operations.push(layer)
      return layer
    }
    if (onError) app.use(errorHandler(onError))
    for (const layer of everywhere) app.use(mount(layer))
    const router = new Router()
    for (const route of routes) {
      const home = route.under === undefined ? router : new Router()
      home.register(route.path, [route.method], [
        ...inFront(route),
        ...route.layers.map(mount),
        ...behind(route),
      ] as never)
      if (route.under !== undefined) router.use(route.under, home.routes())
    }
    app.use(router.routes())
    return { app, operations }
  }

  return {
    serve: async (application) => {
      const { app, operations } = applicationOf(application)
      const server = createServer(app.callback())
      servers.push(server)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return { port: (server.address() as AddressInfo).port, operations }
    },
    close: async () => {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

/**
 * Leaves nothing but the value, as koa-body does. `@koa/bodyparser`, which keeps the text beside it and refuses some
 * JSON itself, has tests of its own.
 */
const parser: Middleware = async (ctx, next) => {
  if (ctx.is('json', '+json')) {
    const text = (await bytesOf(ctx)).toString()
    try {
      ctx.request.body = text === '' ? {} : JSON.parse(text)
    } catch {
      ctx.throw(400, 'invalid JSON')
    }
  } else if (ctx.is('urlencoded')) ctx.request.body = parse((await bytesOf(ctx)).toString())
  await next()
}

const inFront = ({ parser: place, outer }: SuiteRoute): Middleware[] => {
  const chain: Middleware[] = []
  if (outer) {
    chain.push((ctx, next) => {
      setFields(ctx, outer())
      return next()
    })
  }
  if (place === 'before') chain.push(parser)
  if (place === 'swallowed') {
    chain.push(async (ctx, next) => {
      await new Promise((resolve) => ctx.req.resume().once('end', resolve))
      await next()
    })
  }
  return chain
}

const behind = ({ parser: place, handler }: SuiteRoute): Middleware[] => [
  ...(place === 'after' ? [parser] : []),
  async (ctx) => {
    const answer = await handler({
      execution: ctx.state.idempotency,
      header: (name) => ctx.get(name) || undefined,
      body: async () =>
        place === 'none' || place === 'swallowed' ? bytesOf(ctx) : ctx.request.body,
      error: (status, message) => {
        try {
          return ctx.throw(status, message)
        } catch (error) {
          return error
        }
      },
    })
    give(ctx, answer)
  },
]

const errorHandler =
  (onError: (error: unknown) => SuiteAnswer): Middleware =>
  async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      give(ctx, onError(error))
    }
  }

const give = (ctx: Context, answer: SuiteAnswer): void => {
  switch (answer.kind) {
    case 'given':
      return
    case 'json':
      ctx.body = answer.value
      break
    case 'whole':
      ctx.body = answer.body.length === 0 ? null : Buffer.from(answer.body)
      setFields(ctx, answer.headers)
      break
    case 'stream':
      // Koa 2 leaves it at that when a source fails after the head has left, and the client waits.
      ctx.body = Readable.from(answer.chunks, { objectMode: false }).on('error', () => {
        if (ctx.headerSent) ctx.res.destroy()
      })
      setFields(ctx, answer.headers)
  }
  // Last, since a body that is null means 204 to Koa.
  ctx.status = answer.status
}

/** The first line of a name replaces what stood there. */
const setFields = (ctx: Context, headers: HeaderPairs): void => {
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    if (seen.has(name)) ctx.append(name, value)
    else ctx.set(name, value)
    seen.add(name)
  }
}

const bytesOf = async (ctx: Context): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
