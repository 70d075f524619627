import type { IncomingMessage } from 'node:http'
import type {
  Acquisition,
  Claim,
  Execution,
  FingerprintOptions,
  GivenAnswer,
  HttpExecution,
  HttpResponse,
  IdempotencyOptions,
  IdempotencyRecord,
  IdempotencyStore,
  IncomingRequest,
  RequestBody,
} from '@retrysafe/core'
import type { Defect } from './reference-harness.js'

type Options = IdempotencyOptions<IncomingMessage>
type Request = IncomingRequest<IncomingMessage>

/** A mistake in what is handed to core as options. */
export const wrongOptions = (change: (options: Options) => object): Defect => {
  return () => ({ options: (options) => ({ ...options, ...change(options) }) })
}

/** An option that the binding forgets. */
export const forgets = (...names: readonly (keyof Options)[]): Defect =>
  wrongOptions(() => Object.fromEntries(names.map((name) => [name, undefined])))

/** A setting of the fingerprint that the binding forgets. */
export const forgetsSetting = (...names: readonly (keyof FingerprintOptions)[]): Defect =>
  wrongOptions(({ fingerprint }) =>
    typeof fingerprint === 'object'
      ? {
          fingerprint: Object.fromEntries(
            Object.entries(fingerprint).filter(([name]) => !names.includes(name as never)),
          ),
        }
      : {},
  )

/** A mistake in how the lines of a field are read. */
export const wrongField =
  (
    field: string,
    change: (lines: readonly string[], request: Request) => readonly string[],
  ): Defect =>
  () => ({
    request: (request) => ({
      ...request,
      fieldLines: (name) =>
        name === field ? change(request.fieldLines(name), request) : request.fieldLines(name),
    }),
  })

/** A mistake in how each line with a key is read. */
export const wrongKey = (change: (line: string) => string): Defect =>
  wrongField('idempotency-key', (lines) => lines.map(change))

/** A mistake in what is taken for the path and query. */
export const wrongTarget =
  (change: (target: string) => string): Defect =>
  () => ({ request: (request) => ({ ...request, target: change(request.target) }) })

/** A mistake in how the body is read. */
export const wrongBody =
  (
    change: (
      body: RequestBody,
      mediaType: string,
      message: IncomingMessage,
    ) => RequestBody | undefined,
  ): Defect =>
  () => ({
    request: (request) => ({
      ...request,
      readBody: async (limit) => {
        const body = await request.readBody(limit)
        const type = request.fieldLines('content-type')[0] ?? ''
        return change(body, type, request.native) ?? body
      },
    }),
  })

/** A mistake in what the binding hands to the store, or makes of its answers. */
export const wrongStore =
  (change: (store: IdempotencyStore) => Partial<IdempotencyStore>): Defect =>
  () => ({ store: (store) => ({ ...store, ...change(store) }) })

/** A mistake in how an answer to a claim is read. */
export const wrongAcquisition = (
  change: (acquisition: Acquisition, claim: Claim) => Acquisition | undefined,
): Defect =>
  wrongStore((store) => ({
    acquire: async (claim) => {
      const acquisition = await store.acquire(claim)
      return change(acquisition, claim) ?? acquisition
    },
  }))

/** The same of the record that was found. */
export const wrongRecord = (
  change: (record: IdempotencyRecord, claim: Claim) => IdempotencyRecord | undefined,
): Defect =>
  wrongAcquisition((acquisition, claim) => {
    const record = acquisition.kind === 'exists' ? change(acquisition.record, claim) : undefined
    return record && { kind: 'exists', record }
  })

/** A mistake in a finished answer. */
export const wrongReply =
  (
    change: (reply: HttpResponse, message: IncomingMessage) => Partial<HttpResponse> | undefined,
  ): Defect =>
  () => ({ reply: (reply, message) => ({ ...reply, ...change(reply, message) }) })

/** The same of an answer that is a problem. */
export const wrongProblem = (
  change: (
    code: string,
    reply: HttpResponse,
    message: IncomingMessage,
  ) => Partial<HttpResponse> | undefined,
): Defect =>
  wrongReply((reply, message) => {
    if (!isField(reply, 'content-type', 'application/problem+json')) return undefined
    const { code } = JSON.parse(Buffer.from(reply.body).toString()) as { code?: string }
    return change(code ?? '', reply, message)
  })

/** A mistake in what is told to core of an answer, or made of what core says. */
export const wrongEnding = (
  finish: (
    http: HttpExecution,
    answer: GivenAnswer,
    message: IncomingMessage,
  ) => Promise<HttpResponse | undefined>,
): Defect =>
  wrongExecution((http, message) => ({ finish: (answer) => finish(http, answer, message) }))

/** An ending before which the binding says something of its own about answers of a status. */
export const says = (status: number, verb: 'complete' | 'fail' | 'release'): Defect =>
  wrongEnding((http, answer) => {
    if (answer.status === status) http.execution[verb]()
    return http.finish(answer)
  })

/** A mistake in how an execution is passed on. The same for each mount, as the sound one is. */
export const wrongExecution =
  (change: (http: HttpExecution, message: IncomingMessage) => Partial<HttpExecution>): Defect =>
  () => {
    const made = new WeakMap<HttpExecution, HttpExecution>()
    return {
      execution: (http, message) => {
        const wrong = made.get(http) ?? { ...http, ...change(http, message) }
        made.set(http, wrong)
        return wrong
      },
    }
  }

/** A mistake in what the handler is handed. */
export const handlerGets = (change: (execution: Execution) => Partial<Execution>): Defect =>
  wrongExecution(({ execution }) => ({
    // By its descriptors: its side of a transaction is not to be seen, and goes along.
    execution: Object.defineProperties({} as Execution, {
      ...Object.getOwnPropertyDescriptors(execution),
      ...Object.getOwnPropertyDescriptors(change(execution)),
    }),
  }))

/** A store that can be made to forget a record, whatever its state, and all its late writers with it. */
export const forgetful = (
  store: IdempotencyStore,
): { readonly store: IdempotencyStore; forget(recordKey: string): void } => {
  const generations = new Map<string, number>()
  const named = <Named extends { readonly recordKey: string }>(given: Named): Named => {
    const generation = generations.get(given.recordKey)
    return generation ? { ...given, recordKey: `${given.recordKey} ${generation}` } : given
  }
  return {
    store: {
      ...store,
      acquire: (claim) => store.acquire(named(claim)),
      renew: (lease, terms) => store.renew(named(lease), terms),
      complete: (lease, terms) => store.complete(named(lease), terms),
      fail: (lease, terms) => store.fail(named(lease), terms),
      release: (lease) => store.release(named(lease)),
      read: (recordKey) => store.read(named({ recordKey }).recordKey),
    },
    forget: (recordKey) => {
      generations.set(recordKey, (generations.get(recordKey) ?? 0) + 1)
    },
  }
}

/** Whether an answer has a line of a field with this value. */
export const isField = ({ headers }: HttpResponse, field: string, value: string): boolean =>
  headers.some(([name, line]) => name.toLowerCase() === field && line === value)

/** Without the lines of a field. */
export const without = ({ headers }: Pick<HttpResponse, 'headers'>, field: string) => ({
  headers: headers.filter(([name]) => name.toLowerCase() !== field),
})
