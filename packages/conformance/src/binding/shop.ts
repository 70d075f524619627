import { Agent } from 'node:http'
import type { Execution, HeaderPairs, Operations } from '@retrysafe/core'
import { type ClientAnswer, type ClientRequest, type Conversation, converse } from './client.js'
import type {
  BindingHarness,
  HandlerIo,
  SuiteAnswer,
  SuiteApplication,
  SuiteOptions,
  SuiteRoute,
} from './harness.js'
import { type SuiteStore, suiteStore } from './suite-store.js'

/** What a guarantee wants otherwise than usual. */
export interface ShopTerms {
  /** Options of the layer, over the usual: the shop's store, one space for all callers. */
  readonly options?: Partial<SuiteOptions>
  /** Layers instead of the one. */
  readonly layers?: (usual: SuiteOptions) => readonly SuiteOptions[]
  /** Layers on the whole application. @default none */
  readonly everywhere?: (usual: SuiteOptions) => readonly SuiteOptions[]
  /** Method and path of each route, all with the same handler; `/a:/b` is `/b` in a sub-application under `/a`. @default ['POST /orders'] */
  readonly routes?: readonly string[]
  /** @default 'none' */
  readonly parser?: SuiteRoute['parser']
  readonly outer?: () => HeaderPairs
  /** @default 201 with the number of the run */
  readonly handler?: (io: HandlerIo, run: number) => Promise<SuiteAnswer> | SuiteAnswer
  readonly onError?: SuiteApplication['onError']
  /** A store that other shops work on as well. */
  readonly store?: SuiteStore
}

/** An application with one layer, the store behind it, and a client in front of it. */
export interface Shop {
  readonly store: SuiteStore
  readonly port: number
  readonly operations: readonly Operations[]
  /** The execution of each run of the handler, in order: the effects of this application. */
  readonly runs: readonly Execution[]
  /** Sends, and waits for the whole answer. */
  send(request?: ClientRequest): Promise<ClientAnswer>
  /** Sends, and leaves the rest to the guarantee. */
  converse(request?: ClientRequest): Conversation
}

/** Connections are kept: opening them is most of what a request costs. */
const agent = new Agent({ keepAlive: true })

export const openShop = async (harness: BindingHarness, terms: ShopTerms = {}): Promise<Shop> => {
  const store = terms.store ?? suiteStore(harness.openStore)
  const runs: Execution[] = []
  const usual: SuiteOptions = { store: store.store, scope: 'global', ...terms.options }
  const { handler = (_io, run) => json(201, { run }), parser = 'none' } = terms

  const routeOf = (text: string): SuiteRoute => {
    const [method = '', place = ''] = text.split(' ')
    const [under, path = under ?? ''] = place.split(':')
    return {
      method,
      path,
      ...(place.includes(':') && under !== undefined && { under }),
      parser,
      layers: terms.layers?.(usual) ?? (terms.everywhere ? [] : [usual]),
      ...(terms.outer && { outer: terms.outer }),
      handler: async (io) => {
        runs.push(io.execution)
        return handler(io, runs.length)
      },
    }
  }
  const { port, operations } = await harness.serve({
    everywhere: terms.everywhere?.(usual) ?? [],
    routes: (terms.routes ?? ['POST /orders']).map(routeOf),
    ...(terms.onError && { onError: terms.onError }),
  })
  return {
    store,
    port,
    operations,
    runs,
    send: (request = {}) => converse(port, request, agent).answer(),
    converse: (request = {}) => converse(port, request, agent),
  }
}

/** An answer that the handler itself gives. */
export type MadeAnswer = Exclude<SuiteAnswer, { readonly kind: 'given' }>

export const json = (status: number, value: unknown): MadeAnswer => ({
  kind: 'json',
  status,
  value,
})

/** Bytes in one piece; a text goes as UTF-8. */
export const whole = (
  status: number,
  body: string | Uint8Array = '',
  headers: HeaderPairs = [],
): MadeAnswer => ({ kind: 'whole', status, headers, body: Buffer.from(body) })

export const stream = (
  status: number,
  headers: HeaderPairs,
  chunks: () => AsyncIterable<Uint8Array>,
): MadeAnswer => ({ kind: 'stream', status, headers, chunks: chunks() })
