import type { GivenAnswer } from '../src/http-execution.js'
import type { IncomingRequest, RequestBody } from '../src/request.js'

/** The framework's own request, as the callbacks of a test see it. */
export interface Native {
  readonly tenant?: string
  readonly id?: string
}

export interface Given {
  /** The lines of the Idempotency-Key field. */
  readonly key?: string | readonly string[]
  readonly method?: string
  readonly target?: string
  readonly fields?: Readonly<Record<string, readonly string[]>>
  readonly json?: unknown
  readonly body?: RequestBody
  readonly native?: Native
  readonly carrier?: object
}

/** A request without a framework: POST /orders with the JSON that is given. */
export const incoming = ({
  key = [],
  method = 'POST',
  target = '/orders',
  fields = {},
  json = { sku: 'A' },
  body = { kind: 'bytes', bytes: Buffer.from(JSON.stringify(json)) },
  native = {},
  carrier = {},
}: Given = {}): IncomingRequest<Native> => {
  const lines: Readonly<Record<string, readonly string[]>> = {
    'content-type': ['application/json; charset=utf-8'],
    'idempotency-key': typeof key === 'string' ? [key] : key,
    ...fields,
  }
  return {
    native,
    carrier,
    method,
    target,
    fieldLines: (name) => lines[name] ?? [],
    readBody: async () => body,
    whenGone: () => () => {},
  }
}

/** An answer as a capture sees it; a text is its body. */
export const given = (
  status: number,
  text: string | undefined = '',
  answer: Partial<GivenAnswer> = {},
): GivenAnswer => ({
  status,
  headers: [],
  outerHeaders: [],
  body: Buffer.from(text),
  unmatched: false,
  ...answer,
})
