import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { parse as parseForm } from 'node:querystring'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Execution, IdempotencyStore, Operations } from '@retrysafe/core'
import {
  type BindingHarness,
  nativeOptions,
  type SuiteAnswer,
  type SuiteApplication,
  type SuiteOptions,
  type SuiteRoute,
} from '../../src/index.js'
import {
  type BindingParts,
  executionOf,
  noRouteTook,
  referenceLayer,
  type Step,
  soundParts,
} from './reference-binding.js'

/** One planted mistake: parts of the reference binding replaced. Made anew for each harness. */
export type Defect = () => Partial<BindingParts>

type Parsed = IncomingMessage & { body?: unknown; _body?: true }

/** The suite's applications on bare `node:http`, with a defect or without one, or with another layer. */
export const referenceHarness = async (
  defect: Defect = () => ({}),
  layerOf = referenceLayer,
  onNoRoute = noRouteTook,
): Promise<BindingHarness> => {
  const parts: BindingParts = { ...soundParts, ...defect() }
  const hosts: Host[] = []
  const stores = new Map<IdempotencyStore, IdempotencyStore>()
  const options = nativeOptions<IncomingMessage>((message) => ({
    header: (name) => message.headers[name.toLowerCase()]?.toString(),
  }))
  const storeOf = (store: IdempotencyStore): IdempotencyStore => {
    const made = stores.get(store) ?? parts.store(store)
    stores.set(store, made)
    return made
  }

  const applicationOf = ({ everywhere = [], routes, onError }: SuiteApplication) => {
    const operations: Operations[] = []
    const mount = (given: SuiteOptions): Step => {
      const native = options(given)
      const layer = layerOf(
        native.store ? { ...native, store: storeOf(native.store) } : native,
        parts,
      )
      operations.push(layer.operations)
      return layer.step
    }
    const outermost = everywhere.map(mount)
    const chains = routes.map((route) => ({
      method: route.method,
      path: `${route.under ?? ''}${route.path}`,
      steps: [...inFront(route), ...route.layers.map(mount), ...behind(route)],
    }))

    const serve = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
      try {
        const path = message.url?.split('?')[0]
        const method = message.method === 'HEAD' ? 'GET' : message.method
        const chain = chains.find((each) => each.method === method && each.path === path)
        for (const step of [...outermost, ...(chain?.steps ?? [notFound(onNoRoute)])])
          if ((await step(message, response)) === 'answered') return
      } catch (error) {
        await failed(response, parts.thrown(error, executionOf(message)), onError).catch(() => {})
      }
    }
    return { serve, operations }
  }

  return {
    serve: async (application) => {
      const { serve, operations } = applicationOf(application)
      const host = idleHosts.pop() ?? (await openHost())
      host.serve = serve
      hosts.push(host)
      return { port: host.port, operations }
    },
    close: async () => {
      for (const host of hosts) {
        for (const socket of host.busy) socket.destroy()
        idleHosts.push(host)
      }
    },
  }
}

/** A server that lives as long as the process, for one harness after the other. */
interface Host {
  readonly port: number
  /** The connections with a request that has not been answered. */
  readonly busy: Set<Socket>
  serve: (message: IncomingMessage, response: ServerResponse) => Promise<void>
}

/** A proof makes thousands of harnesses: what it costs to open servers and connections would be most of it. */
const idleHosts: Host[] = []

const openHost = async (): Promise<Host> => {
  const busy = new Set<Socket>()
  const server = createServer((message, response) => {
    const { socket } = message
    busy.add(socket)
    response.once('close', () => busy.delete(socket))
    void host.serve(message, response)
  })
  // Connections wait for the next harness, however long that takes.
  server.keepAliveTimeout = 0
  server.unref()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const host: Host = { port, busy, serve: async () => {} }
  return host
}

const notFound =
  (onNoRoute: typeof noRouteTook): Step =>
  async (message, response) => {
    onNoRoute(message, response)
    response.statusCode = 404
    response.end('Nothing here')
    return 'answered'
  }

const failed = async (
  response: ServerResponse,
  error: unknown,
  onError: SuiteApplication['onError'],
): Promise<void> => {
  if (response.headersSent || response.destroyed) response.destroy()
  else if (onError) await give(response, onError(error))
  else {
    const { status = 500, message } = error as Error & { status?: number }
    response.statusCode = status
    response.end(message)
  }
}

const inFront = ({ parser, outer }: SuiteRoute): Step[] => {
  const steps: Step[] = []
  if (outer) {
    steps.push(async (_message, response) => {
      setFields(response, outer())
      return 'on'
    })
  }
  if (parser === 'before') steps.push(parse)
  if (parser === 'swallowed') {
    steps.push(async (message) => {
      await bytesOf(message)
      return 'on'
    })
  }
  return steps
}

const behind = ({ parser, handler }: SuiteRoute): Step[] => [
  ...(parser === 'after' ? [parse] : []),
  async (message, response) => {
    const isParsed = parser === 'before' || parser === 'after'
    const answer = await handler({
      execution: executionOf(message) as Execution,
      header: (name) => message.headers[name.toLowerCase()]?.toString(),
      body: async () => (isParsed ? (message as Parsed).body : bytesOf(message)),
      error: (status, text) => Object.assign(new Error(text), { status }),
    })
    await give(response, answer)
    return 'answered'
  },
]

const parse: Step = async (message) => {
  const text = (await bytesOf(message)).toString()
  if (text === '') return 'on'
  const isForm = message.headers['content-type']?.includes('form')
  Object.assign(message as Parsed, {
    body: isForm ? formOf(text) : JSON.parse(text),
    _body: true,
  })
  return 'on'
}

/** One value stays one, as with every parser of a framework: a list of one is another body. */
const formOf = (text: string): Record<string, unknown> => ({ ...parseForm(text) })

const give = async (response: ServerResponse, answer: SuiteAnswer): Promise<void> => {
  if (answer.kind === 'given') return
  response.statusCode = answer.status
  switch (answer.kind) {
    case 'json':
      response.setHeader('Content-Type', 'application/json; charset=utf-8')
      response.end(JSON.stringify(answer.value))
      return
    case 'whole':
      setFields(response, answer.headers)
      response.end(answer.body)
      return
    case 'stream':
      setFields(response, answer.headers)
      await pipeline(Readable.from(answer.chunks), response)
  }
}

/** The first line of a name replaces what stood there. */
const setFields = (
  response: ServerResponse,
  headers: readonly (readonly [string, string])[],
): void => {
  const seen = new Set<string>()
  for (const [name, value] of headers) {
    if (seen.has(name)) response.appendHeader(name, value)
    else response.setHeader(name, value)
    seen.add(name)
  }
}

const bytesOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
