import type {
  Answer,
  Execution,
  HeaderPairs,
  HttpResponse,
  IdempotencyOptions,
  Operations,
} from '@retrysafe/core'
import type { Guarantee } from '../guarantee.js'
import type { BindingPoint } from './points.js'
import type { OpenStore } from './suite-store.js'

/** What a suite needs of a binding under proof: applications on real sockets, as many as it asks for. */
export interface BindingHarness {
  /** Serves on a free port of 127.0.0.1. Rejects with what a layer throws at construction. */
  serve(application: SuiteApplication): Promise<Served>
  /** The stores that its applications work on. @default the suite's own, which is obvious */
  readonly openStore?: OpenStore
  /** Ends every server and cuts every connection. */
  close(): Promise<void>
}

/** A guarantee of every binding. */
export type BindingGuarantee = Guarantee<BindingHarness, BindingPoint>

/** An application of the suite while it is served. */
export interface Served {
  readonly port: number
  /** What each layer offers beside its middleware: those of the whole application first, then route by route. */
  readonly operations: readonly Operations[]
}

/** The options of a layer, as the suite writes them; `nativeOptions` makes the binding's own of them. */
export type SuiteOptions = IdempotencyOptions<SuiteRequest>

/** What callbacks of options see of a request, whatever the framework. */
export interface SuiteRequest {
  /** The first line of a field. */
  header(name: string): string | undefined
}

/** An application in no framework's words. */
export interface SuiteApplication {
  /** Layers on the whole application, in front of every route, in order. */
  readonly everywhere?: readonly SuiteOptions[]
  readonly routes: readonly SuiteRoute[]
  /**
   * The application's own error handling: gets what reached it, untouched, and answers. Without it the framework's
   * own stands.
   */
  readonly onError?: (error: unknown) => SuiteAnswer
}

/** One route, with what stands in front of its handler: outer fields, parser, layers, parser. */
export interface SuiteRoute {
  readonly method: string
  readonly path: string
  /** Where a sub-application (or router) that holds the route alone is mounted. */
  readonly under?: string
  readonly layers: readonly SuiteOptions[]
  /**
   * Where the framework's usual body parsers (JSON and forms) stand. `swallowed`: something in front of the layer
   * reads the body away and leaves nothing of it.
   */
  readonly parser: 'none' | 'before' | 'after' | 'swallowed'
  /** Fields that are set on the response in front of the layer, for each request. */
  readonly outer?: () => HeaderPairs
  /** Answers, or throws. What it throws goes to the framework as it is. */
  readonly handler: (io: HandlerIo) => Promise<SuiteAnswer>
}

/** What a handler has. */
export interface HandlerIo extends SuiteRequest {
  readonly execution: Execution
  /** The body as a handler reads it: with a parser the value that it made, else the bytes. */
  body(): Promise<unknown>
  /** The framework's own way of an error with a status, to be thrown. */
  error(status: number, message: string): unknown
}

/** An answer that a handler gives by the framework's usual means. */
export type SuiteAnswer =
  | { readonly kind: 'json'; readonly status: number; readonly value: unknown }
  /** Status, fields and body, given in one piece; an empty body is none. */
  | ({ readonly kind: 'whole' } & HttpResponse)
  /** What the work of a transaction has returned: given by the layer already, or by returning it. */
  | { readonly kind: 'given'; readonly answer: Answer }
  /** Each chunk leaves as it comes. A source that fails breaks the answer off. */
  | {
      readonly kind: 'stream'
      readonly status: number
      readonly headers: HeaderPairs
      readonly chunks: AsyncIterable<Uint8Array>
    }
