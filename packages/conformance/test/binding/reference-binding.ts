import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type Begun,
  createHttpIdempotency,
  type Execution,
  type HttpExecution,
  type HttpResponse,
  type IdempotencyOptions,
  type IdempotencyStore,
  type IncomingRequest,
  type Operations,
} from '@retrysafe/core'
import { captureResponse, nodeRequest, sendReply } from '@retrysafe/core/node'

/** What a reference binding is made of; a defect replaces one part. */
export interface BindingParts {
  readonly options: (options: IdempotencyOptions<IncomingMessage>) => typeof options
  /** Called once for each store. */
  readonly store: (store: IdempotencyStore) => IdempotencyStore
  readonly request: (request: IncomingRequest<IncomingMessage>) => typeof request
  readonly begin: (
    begin: () => Promise<Begun>,
    request: IncomingRequest<IncomingMessage>,
  ) => Promise<Begun>
  readonly execution: (http: HttpExecution, message: IncomingMessage) => HttpExecution
  /** A finished answer, on its way out. */
  readonly reply: (reply: HttpResponse, message: IncomingMessage) => HttpResponse
  readonly sent: (message: IncomingMessage, reply: HttpResponse) => void
  /** The response, before the layer looks at it. */
  readonly response: (response: ServerResponse, message: IncomingMessage) => void
  /** What the handler gets as its response, behind the layer. */
  readonly captured: (response: ServerResponse, http: HttpExecution) => void
  readonly isUnmatched: (isOwnAnswer: boolean) => boolean
  readonly thrown: (error: unknown, execution: Execution | undefined) => unknown
  readonly operations: (operations: Operations) => Operations
}

const asItIs = <T>(value: T): T => value

/** The parts of a binding without a defect. */
export const soundParts: BindingParts = {
  options: asItIs,
  store: asItIs,
  request: asItIs,
  begin: (begin) => begin(),
  execution: asItIs,
  reply: asItIs,
  sent: () => {},
  response: () => {},
  captured: () => {},
  isUnmatched: asItIs,
  thrown: asItIs,
  operations: asItIs,
}

/** What stands on the way of a request: lets it on, or has answered it. */
export type Step = (
  message: IncomingMessage,
  response: ServerResponse,
) => Promise<'on' | 'answered'>

export interface ReferenceLayer {
  readonly operations: Operations
  readonly step: Step
}

const executions = new WeakMap<IncomingMessage, Execution>()
const unmatched = new WeakSet<ServerResponse>()

/** The execution of a request behind a layer. */
export const executionOf = (message: IncomingMessage): Execution | undefined =>
  executions.get(message)

/** For a layer that is not the reference one, but stands in its harness. */
export const rememberExecution = (message: IncomingMessage, execution: Execution): void =>
  void executions.set(message, execution)

/** Says that the server itself is about to answer, since no route took the request. */
export const noRouteTook = (_message: IncomingMessage, response: ServerResponse): void =>
  void unmatched.add(response)

/** A binding for `node:http`: all that core leaves to one, and the one that defects are planted in. */
export const referenceLayer = (
  options: IdempotencyOptions<IncomingMessage>,
  parts: BindingParts,
): ReferenceLayer => {
  const layer = createHttpIdempotency(parts.options(options))
  return {
    operations: parts.operations(layer),
    step: async (message, response) => {
      const request = parts.request(nodeRequest({ native: message, message }))
      parts.response(response, message)
      const begun = await parts.begin(() => layer.begin(request), request)
      const http = parts.execution(begun.http, message)
      executions.set(message, http.execution)
      switch (begun.kind) {
        case 'reply': {
          const reply = parts.reply(begun.reply, message)
          sendReply(message, response, reply)
          parts.sent(message, reply)
          return 'answered'
        }
        case 'execute':
        case 'bypass':
          captureResponse(response, http, {
            isUnmatched: () => parts.isUnmatched(unmatched.has(response)),
          })
          parts.captured(response, http)
          return 'on'
      }
    },
  }
}
