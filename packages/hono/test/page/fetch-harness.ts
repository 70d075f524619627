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
import type { Execution, HeaderPairs, Operations } from '@retrysafe/core'
import { idempotency } from './fetch-binding.js'

type Handle = (request: Request, execution: Execution | undefined) => Promise<Response>

/** The suite's applications as bare fetch handlers, one inside the other, around the page's binding. */
export const fetchHarness = async (): Promise<BindingHarness> => {
  const options = nativeOptions<Request>(viewOf)
  const servers: ServerType[] = []

  const applicationOf = ({ everywhere = [], routes, onError }: SuiteApplication) => {
    const operations: Operations[] = []
    const mounted = (layers: readonly SuiteOptions[]): ((inner: Handle) => Handle) => {
      const mounts = layers.map((given) => idempotency(options(given)))
      operations.push(...mounts)
      return (inner) =>
        mounts.reduceRight<Handle>((behind, once) => (request) => once(request, behind), inner)
    }
    const onAll = mounted(everywhere)
    const handles = routes.map((route) => ({
      route,
      handle: inFront(route, mounted(route.layers)(behind(route, onError))),
    }))
    const fetch = onAll(async (request, execution) => {
      const { pathname } = new URL(request.url)
      const found = handles.find(
        ({ route }) =>
          route.method === (request.method === 'HEAD' ? 'GET' : request.method) &&
          `${route.under ?? ''}${route.path}` === pathname,
      )
      if (found) return found.handle(request, execution)
      // As the page says: who knows that no route took the request says so.
      execution?.release()
      return new Response('Nothing here', { status: 404 })
    })
    return {
      fetch: (request: Request) =>
        fetch(request, undefined).catch((error: unknown) => answerTo(error, onError)),
      operations,
    }
  }

  return {
    serve: async (application) => {
      const { fetch, operations } = applicationOf(application)
      const server = createAdaptorServer({ fetch })
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

const viewOf = (request: Request) => ({
  header: (name: string) => request.headers.get(name) ?? undefined,
})

/** What a parser has made of a request, by a field that it leaves: the layer may put another request in its place. */
const parsed = new Map<string, unknown>()
const parsedAs = 'x-parsed-as'

/** Reads the body, remembers what is in it, and goes on with a request that has it still. */
const parse = async (request: Request): Promise<Request> => {
  const bytes = new Uint8Array(await request.arrayBuffer())
  const type = request.headers.get('content-type') ?? ''
  const next = new Request(request, { body: bytes })
  const text = Buffer.from(bytes).toString('utf8')
  if (text === '') return next
  const id = String(parsed.size)
  next.headers.set(parsedAs, id)
  const isForm = type.includes('form')
  parsed.set(id, isForm ? [...new URLSearchParams(text)] : JSON.parse(text))
  return next
}

const inFront =
  ({ parser, outer }: SuiteRoute, inner: Handle): Handle =>
  async (request, execution) => {
    if (parser === 'swallowed') await request.text()
    const response = await inner(parser === 'before' ? await parse(request) : request, execution)
    return outer ? withFields(response, outer()) : response
  }

/** Fields of a wrapper go on at the way out, where the answer has none of the name. */
const withFields = (response: Response, fields: HeaderPairs): Response => {
  const headers = new Headers(response.headers)
  for (const [name, value] of fields) if (!response.headers.has(name)) headers.append(name, value)
  const { status } = response
  return new Response(response.body, { status, headers })
}

const behind =
  (route: SuiteRoute, onError: SuiteApplication['onError']): Handle =>
  async (request, execution) => {
    try {
      const isParsed = route.parser === 'before' || route.parser === 'after'
      const read = route.parser === 'after' ? await parse(request) : request
      const answer = await route.handler({
        ...viewOf(request),
        execution: execution as Execution,
        body: async () =>
          isParsed
            ? parsed.get(read.headers.get(parsedAs) ?? '')
            : Buffer.from(await read.arrayBuffer()),
        error: (status, message) => Object.assign(new Error(message), { status }),
      })
      return give(answer)
    } catch (error) {
      return answerTo(error, onError)
    }
  }

const answerTo = (error: unknown, onError: SuiteApplication['onError']): Response => {
  if (onError) return give(onError(error))
  const { status = 500, message } = error as Error & { status?: number }
  return new Response(message, { status })
}

const give = (answer: SuiteAnswer): Response => {
  switch (answer.kind) {
    case 'json':
      return Response.json(answer.value, { status: answer.status })
    case 'whole': {
      const { status, headers, body } = answer
      const content = body.length === 0 ? null : Uint8Array.from(body)
      return new Response(content, { status, headers: headers as [string, string][] })
    }
    case 'stream': {
      const { status, headers, chunks } = answer
      const body = ReadableStream.from(chunks) as ReadableStream<Uint8Array>
      return new Response(body, { status, headers: headers as [string, string][] })
    }
    case 'given':
      return answer.answer
  }
}
