import { memoryStore } from '../../memory/src/index.js'
import type { HttpExecution } from '../src/http-execution.js'
import { type Begun, createHttpIdempotency } from '../src/http-idempotency.js'
import type { IdempotencyOptions } from '../src/options.js'
import { recordKeyOf } from '../src/record-key.js'
import type { HttpResponse } from '../src/response.js'
import type { IdempotencyRecord } from '../src/store.js'
import { faultyStore } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { type Given, given, incoming, type Native } from './incoming.js'

/** What the store of a scene keeps the key `k` of the one space under. */
export const recordKey = recordKeyOf({
  namespace: '',
  kind: 'http',
  scope: { kind: 'global' },
  key: 'k',
})

/** A layer without a framework on a store that fails when it is told to. */
export const httpScene = (options: Partial<IdempotencyOptions<Native>> = {}) => {
  const inner = memoryStore()
  const store = faultyStore(inner)
  const layer = createHttpIdempotency<Native>({ store, scope: 'global', ...options })
  const ask = (request: Given = { key: 'k' }) => layer.begin(incoming(request))
  /** The first request with the key, answered. */
  const answered = async (status: number, text = '', parts: Parameters<typeof given>[2] = {}) =>
    executed(await ask()).finish(given(status, text, parts))
  return { inner, store, layer, ask, answered, heard: heardEvents(layer.events) }
}

/** What stands under the key of a scene; throws where nothing does. */
export const standing = async ({
  inner,
}: {
  readonly inner: { read(recordKey: string): Promise<IdempotencyRecord | undefined> }
}): Promise<IdempotencyRecord> => {
  const record = await inner.read(recordKey)
  if (record) return record
  throw new Error('there is no record')
}

export const executed = (begun: Begun): HttpExecution => {
  if (begun.kind === 'execute') return begun.http
  throw new Error(`expected the handler to run, got ${begun.kind} ${described(begun)}`)
}

export const replied = (begun: Begun): HttpResponse => {
  if (begun.kind === 'reply') return begun.reply
  throw new Error(`expected a reply, got ${begun.kind}`)
}

/** Status and body of a reply, with the mark of a replay where it has one. */
export const told = (begun: Begun): string => {
  const reply = replied(begun)
  const mark = field(reply, 'Idempotent-Replayed') === 'true' ? ' again' : ''
  return `${reply.status}${mark} ${textOf(reply)}`
}

/** Code and Retry-After of a problem of the layer's own. */
export const problemOf = (begun: Begun): { code: string; retryAfter: string | undefined } => {
  const reply = replied(begun)
  const { code } = JSON.parse(textOf(reply)) as { code: string }
  return { code, retryAfter: field(reply, 'Retry-After') }
}

export const textOf = ({ body }: HttpResponse): string => Buffer.from(body).toString()

export const field = ({ headers }: HttpResponse, name: string): string | undefined =>
  headers.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]

const described = (begun: Begun): string => (begun.kind === 'reply' ? textOf(begun.reply) : '')
