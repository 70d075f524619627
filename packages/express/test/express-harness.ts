import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type BindingHarness,
  nativeOptions,
  type SuiteAnswer,
  type SuiteApplication,
  type SuiteOptions,
  type SuiteRoute,
} from '@retrysafe/conformance'
import type { HeaderPairs } from '@retrysafe/core'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { type ExpressIdempotency, idempotency } from '../src/index.js'
import type { ExpressModule } from './versions.js'

/** The suite's applications in Express, as its users would write them. */
export const expressHarness = async (express: ExpressModule): Promise<BindingHarness> => {
  const options = nativeOptions<Request>((request) => ({ header: (name) => request.get(name) }))
  const servers: Server[] = []

  const applicationOf = ({ everywhere = [], routes, onError }: SuiteApplication) => {
    const app = express()
    const operations: ExpressIdempotency[] = []
    const mount = (given: SuiteOptions): RequestHandler => {
      const layer = idempotency(options(given))
      operations.push(layer)
      return layer
    }
    for (const layer of everywhere) app.use(mount(layer))
    for (const route of routes) {
      const home = route.under === undefined ? app : express()
      const method = route.method.toLowerCase() as 'post'
      home[method](
        route.path,
        ...inFront(express, route),
        ...route.layers.map(mount),
        ...behind(express, route),
      )
      if (route.under !== undefined) app.use(route.under, home)
    }
    if (onError) app.use(errorHandler(onError))
    return { app, operations }
  }

  return {
    serve: async (application) => {
      const { app, operations } = applicationOf(application)
      const server = createServer(app)
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

const parsers = (express: ExpressModule): RequestHandler[] => [
  express.json(),
  express.urlencoded({ extended: false }),
]

const inFront = (express: ExpressModule, { parser, outer }: SuiteRoute): RequestHandler[] => {
  const chain: RequestHandler[] = []
  if (outer) {
    chain.push((_request, response, next) => {
      setFields(response, outer())
      next()
    })
  }
  if (parser === 'before') chain.push(...parsers(express))
  if (parser === 'swallowed') {
    chain.push((request, _response, next) => {
      request.resume().once('end', next)
    })
  }
  return chain
}

const behind = (express: ExpressModule, { parser, handler }: SuiteRoute): RequestHandler[] => [
  ...(parser === 'after' ? parsers(express) : []),
  (request, response, next) => {
    const answered = handler({
      execution: request.idempotency,
      header: (name) => request.get(name),
      body: async () =>
        parser === 'none' || parser === 'swallowed' ? bytesOf(request) : request.body,
      error: (status, message) => Object.assign(new Error(message), { status }),
    }).then((answer) => give(response, answer))
    answered.catch(next)
  },
]

const errorHandler =
  (onError: (error: unknown) => SuiteAnswer): ErrorRequestHandler =>
  (error, _request, response, next) => {
    // As Express's guide has it: once the head has left, only its own handler can break the connection off.
    if (response.headersSent) next(error)
    else void give(response, onError(error))
  }

const give = async (response: Response, answer: SuiteAnswer): Promise<void> => {
  switch (answer.kind) {
    case 'json':
      response.status(answer.status).json(answer.value)
      return
    case 'whole':
      response.status(answer.status)
      setFields(response, answer.headers)
      if (answer.body.length === 0) response.end()
      else response.send(Buffer.from(answer.body))
      return
    case 'stream':
      response.status(answer.status)
      setFields(response, answer.headers)
      await pipeline(Readable.from(answer.chunks), response)
      return
    case 'given':
  }
}

/** The first line of a name replaces what stood there. */
const setFields = (response: Response, headers: HeaderPairs): void => {
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    if (seen.has(name)) response.append(name, value)
    else response.setHeader(name, value)
    seen.add(name)
  }
}

const bytesOf = async (request: Request): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
