import {
  forgetful,
  forgets,
  isField,
  without,
  wrongEnding,
  wrongField,
  wrongOptions,
  wrongProblem,
  wrongRecord,
  wrongReply,
  wrongTarget,
} from '../defect.js'
import type { Defect } from '../reference-harness.js'
import { namesForgotten } from './keys.js'

/** Whether the answer was given in chunks, for those who get that wrong. */
const inChunks = (defect: (isChunked: (http: object) => boolean) => ReturnType<Defect>): Defect => {
  return () => {
    const chunked = new WeakSet<object>()
    return {
      ...defect((http) => chunked.has(http)),
      captured: (response, http) => {
        const { write } = response
        response.write = (...given: unknown[]) => {
          chunked.add(http.execution)
          return write.apply(response, given as never)
        }
      },
    }
  }
}

/** A defect in the ending of answers that were given in chunks. */
export const wrongChunkedEnding = (finish: Parameters<typeof wrongEnding>[0]): Defect =>
  inChunks((isChunked) =>
    wrongEnding((http, answer, message) =>
      isChunked(http.execution) ? finish(http, answer, message) : http.finish(answer),
    )(),
  )

const answersForgotten = wrongOptions(({ onInFlight }) => ({
  onInFlight: onInFlight && { ...onInFlight, retryAfterMs: undefined },
  docsUrl: undefined,
  problem: undefined,
}))
/** An answer without content becomes one with `null`. */
const nothingIsSomething = wrongReply(({ status, headers, body }) =>
  body.length === 0
    ? {
        status: status === 204 ? 200 : status,
        headers: headers.filter(([name]) => name.toLowerCase() !== 'location'),
        body: Buffer.from('null'),
      }
    : undefined,
)

/** The settings and forms of a fingerprint: of the same ones, another text is another request. */
const madeOf = (fingerprint: string): string => fingerprint.replace(/=[^,]*/g, '')

/** Bindings that answer a key wrongly that they have seen before. */
export const duplicates: { readonly [guarantee: string]: Defect } = {
  'a duplicate in flight is told at once to ask again in a second': wrongProblem((code, reply) =>
    code === 'request-in-flight' ? without(reply, 'retry-after') : undefined,
  ),
  'retryAfterMs says when to ask again, in whole seconds': answersForgotten,
  'where the lease ends sooner, its rest says when to ask again': wrongRecord((record) =>
    record.state === 'in_flight' && record.leaseRemainingMs > 0
      ? { ...record, leaseRemainingMs: 60_000 }
      : undefined,
  ),
  'another request under a used key is refused, and the record is untouched': () => ({
    store: (given) => {
      const { store, forget } = forgetful(given)
      return {
        ...store,
        acquire: async (claim) => {
          const found = await store.acquire(claim)
          const isOther =
            found.kind === 'exists' &&
            found.record.fingerprint !== claim.fingerprint &&
            madeOf(found.record.fingerprint) === madeOf(claim.fingerprint)
          if (isOther && found.record.state === 'completed') forget(claim.recordKey)
          return found
        },
      }
    },
  }),
  'another request under a key in flight is refused as such, not told to wait': wrongRecord(
    (record, { fingerprint }) =>
      record.state === 'in_flight' ? { ...record, fingerprint } : undefined,
  ),
  'the same key on another method or path is another request under a used key': () => ({
    request: (request) => ({
      ...request,
      method: request.method === 'PATCH' ? 'POST' : request.method,
    }),
  }),
  'with keyScope route, method and path make it another key, the query does not':
    forgets('keyScope'),
  'in a mounted sub-application the path is the whole one that the client sent': wrongTarget(
    (target) => target.replace(/^\/(eu|us)\//, '/'),
  ),
  'a JSON answer is replayed with its status, bytes and media type': wrongReply((reply) =>
    isField(reply, 'content-type', 'application/json; charset=utf-8')
      ? without(reply, 'content-type')
      : undefined,
  ),
  'a binary answer is replayed byte by byte': wrongReply(({ body }) => ({
    body: Buffer.from(Buffer.from(body).toString('utf8')),
  })),
  'an empty answer is replayed as one': nothingIsSomething,
  'a 204 is replayed as one': nothingIsSomething,
  'a 303 is replayed with its Location': nothingIsSomething,
  'an answer in chunks is replayed whole': wrongChunkedEnding((http, answer) =>
    http.finish({ ...answer, body: answer.body?.subarray(0, 4) }),
  ),
  'replayedHeader renames the mark of a replay': namesForgotten,
  'a record that one application made is replayed by another on the same store': () => ({
    request: (request) => ({
      ...request,
      target:
        Number(request.native.headers['content-length'] ?? 0) === 0
          ? `${request.target}#${request.native.socket.localPort}`
          : request.target,
    }),
  }),
  'a client that takes the coding of an answer gets it as it was made': wrongField(
    'accept-encoding',
    () => [],
  ),
  'a client that does not take the coding of an answer gets it decoded': wrongField(
    'accept-encoding',
    () => ['*'],
  ),
}

/** A field that is kept under another name, so that core does not see what it is, and given again. */
const smuggled =
  (field: string): Defect =>
  () => ({
    ...wrongEnding((http, answer) => {
      const renamed = (headers: typeof answer.headers) =>
        headers.map(
          ([name, value]) => [name.toLowerCase() === field ? 'X-Smuggled' : name, value] as const,
        )
      return http.finish({
        ...answer,
        headers: renamed(answer.headers),
        outerHeaders: renamed(answer.outerHeaders),
      })
    })(),
    ...wrongReply(({ headers }) => ({
      headers: headers.map(
        ([name, value]) => [name === 'X-Smuggled' ? field : name, value] as const,
      ),
    }))(),
  })

/** Bindings that give other fields again than they should. */
export const headerFields: { readonly [guarantee: string]: Defect } = {
  'fields that the handler set are replayed line by line, in order, as the first client got them':
    wrongReply(({ headers }) => {
      const joined = new Map<string, string>()
      for (const [name, value] of headers)
        joined.set(name, joined.has(name) ? `${joined.get(name)}, ${value}` : value)
      return { headers: [...joined] }
    }),
  'a cookie is set for the first client alone': smuggled('set-cookie'),
  'fields of one connection, one moment or one caller are not replayed':
    smuggled('x-ratelimit-remaining'),
  'fields that Connection names are not replayed': smuggled('x-hop'),
  'replayHeaders names the only fields that are replayed': namesForgotten,
  'what was set in front of the layer is not kept: a replay bears what is set for it': wrongEnding(
    (http, answer) => http.finish({ ...answer, outerHeaders: [] }),
  ),
  'a field that the handler set replaces the one that was set in front of the layer': () => {
    let outer: string | undefined
    return {
      response: (response) => {
        outer = response.getHeader('cache-control')?.toString()
      },
      ...wrongReply(({ headers }) =>
        outer === undefined ? undefined : { headers: [...headers, ['Cache-Control', outer]] },
      )(),
    }
  },
}

/** A mismatch is told to ask again, and a cache may keep it. */
const fieldsConfused = wrongProblem((code, reply) =>
  code === 'key-reused'
    ? { headers: [...without(reply, 'cache-control').headers, ['Retry-After', '1']] }
    : undefined,
)

/** Bindings whose own answers are not what they should be. */
export const problems: { readonly [guarantee: string]: Defect } = {
  'each problem has its code, status, type, title and detail': wrongProblem((code, { body }) =>
    code === '' ? undefined : { body: Buffer.from(changed(body, { detail: undefined })) },
  ),
  'no problem may be kept by a cache': fieldsConfused,
  'the titles of the draft are word for word its own': wrongProblem((code, { body }) =>
    code === 'key-reused' ? { body: Buffer.from(changed(body, { title: 'Reused' })) } : undefined,
  ),
  'Retry-After goes with what asking again helps, and with nothing else': fieldsConfused,
  'a problem links to the documentation where docsUrl says so': answersForgotten,
  'no problem sends back a key, a body or a fingerprint': wrongProblem(
    (_code, { headers }, message) => {
      const key = message.headers['idempotency-key']?.toString()
      return key ? { headers: [...headers, ['Idempotency-Key', key]] } : undefined
    },
  ),
  'problemBase says what types begin with, and problem replaces the body': answersForgotten,
  'status remaps a mismatch and a duplicate in flight, and nothing else': wrongOptions(
    ({ status }) => ({ status: status && { mismatch: 400 } }),
  ),
}

const changed = (body: Uint8Array, change: object): string =>
  JSON.stringify({ ...(JSON.parse(Buffer.from(body).toString()) as object), ...change })
