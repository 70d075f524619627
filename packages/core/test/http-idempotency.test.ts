import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import type { HttpExecution } from '../src/http-execution.js'
import { type Begun, createHttpIdempotency } from '../src/http-idempotency.js'
import type { IdempotencyOptions } from '../src/options.js'
import type { HttpResponse } from '../src/response.js'
import { useFakeClock } from './fake-clock.js'
import { answers, faultyStore, full, hangs, rejects } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { type Given, given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const scene = (options: Partial<IdempotencyOptions<Native>> = {}) => {
  const store = faultyStore()
  const layer = createHttpIdempotency<Native>({ store, scope: 'global', ...options })
  const ask = (request: Given = { key: 'k' }) => layer.begin(incoming(request))
  return { store, layer, ask, heard: heardEvents(layer.events) }
}

const executed = (begun: Begun): HttpExecution => {
  expect(begun.kind).toBe('execute')
  return begun.http
}
const replied = (begun: Begun): HttpResponse => {
  if (begun.kind !== 'reply') throw new Error(`expected a reply, got ${begun.kind}`)
  return begun.reply
}
const problemOf = (begun: Begun): { code: string; status: number } => {
  const { status, body } = replied(begun)
  const problem = JSON.parse(Buffer.from(body).toString()) as { code: string; status: number }
  expect(problem.status).toBe(status)
  return problem
}
const field = ({ headers }: HttpResponse, name: string): string | undefined =>
  headers.find(([other]) => other.toLowerCase() === name.toLowerCase())?.[1]

describe('a request that the layer has nothing to do with', () => {
  it.each([
    ['without a key', {}],
    ['of GET', { key: 'k', method: 'GET' }],
    ['of DELETE', { key: 'k', method: 'DELETE' }],
    ['of PUT', { key: 'k', method: 'PUT' }],
  ])(
    '%s passes, with an execution that protects nothing and no call of the store',
    async (_, request) => {
      const scope = vi.fn(() => 'a')
      const { ask, store } = scene({ scope })
      const { kind, http } = await ask(request)
      expect(kind).toBe('bypass')
      expect(http.execution).toMatchObject({
        protected: false,
        key: undefined,
        attempt: 1,
        after: 'nothing',
      })
      expect(http.execution.derivedKey('a')).not.toBe(
        (await ask(request)).http.execution.derivedKey('a'),
      )
      await expect(http.execution.markEffects()).resolves.toBeUndefined()
      expect(scope).not.toHaveBeenCalled()
      expect(store.calls).toEqual([])
    },
  )

  it('passes where skip says so, also asynchronously', async () => {
    const { ask, store } = scene({ skip: async ({ id }) => id === 'health', required: true })
    expect((await ask({ key: 'k', native: { id: 'health' } })).kind).toBe('bypass')
    expect(store.calls).toEqual([])
    expect((await ask()).kind).toBe('execute')
  })

  it('is another one under methods', async () => {
    const { ask } = scene({ methods: ['PUT'] })
    expect((await ask({ key: 'k', method: 'PUT' })).kind).toBe('execute')
    expect((await ask({ key: 'k', method: 'POST' })).kind).toBe('bypass')
  })
})

describe('a key', () => {
  it('that is missing where it is required is 400 key-missing', async () => {
    const { ask, store } = scene({ required: true })
    expect(problemOf(await ask({}))).toMatchObject({ code: 'key-missing', status: 400 })
    expect(store.calls).toEqual([])
  })

  it.each([
    ['malformed', { key: '"a' }],
    ['empty', { key: '' }],
    ['an empty String', { key: '""' }],
    ['on two lines', { key: ['a', 'a'] }],
    ['two in one line', { key: 'a, b' }],
    ['too long', { key: 'a'.repeat(256) }],
  ])('that is %s is 400 key-invalid, though it is optional', async (_, request) => {
    const { ask, store } = scene()
    const begun = await ask(request)
    expect(problemOf(begun)).toMatchObject({ code: 'key-invalid', status: 400 })
    expect(field(replied(begun), 'Retry-After')).toBeUndefined()
    expect(store.calls).toEqual([])
  })

  it('may have 255 characters after decoding, or as many as maxKeyLength says', async () => {
    const { ask } = scene()
    expect((await ask({ key: 'a'.repeat(255) })).kind).toBe('execute')
    expect((await ask({ key: `"${'\\"'.repeat(255)}"` })).kind).toBe('execute')
    const narrow = scene({ maxKeyLength: 3 })
    expect((await narrow.ask({ key: 'abc' })).kind).toBe('execute')
    expect(problemOf(await narrow.ask({ key: 'abcd' })).code).toBe('key-invalid')
  })

  it('is the same quoted and bare, and differs by case', async () => {
    const { ask } = scene()
    expect((await ask({ key: 'abc' })).http.execution.key).toBe('abc')
    expect(problemOf(await ask({ key: '"abc"; a=1' })).code).toBe('request-in-flight')
    expect((await ask({ key: 'ABC' })).kind).toBe('execute')
    expect((await ask({ key: '" abc"' })).kind).toBe('execute')
  })

  it('is narrowed by keyFormat', async () => {
    const { ask } = scene({ keyFormat: 'uuid' })
    expect(problemOf(await ask()).code).toBe('key-invalid')
    expect((await ask({ key: '8e03978e-40d5-43e8-bc93-6894a57f9324' })).kind).toBe('execute')
  })

  it.each([
    ['answers yes', async () => true],
    ['answers no', async () => false],
    ['rejects', () => Promise.reject(new Error('a mistake'))],
  ])('is key-invalid where a keyFormat %s only later, which is too late', async (_, judge) => {
    const { ask, store } = scene({ keyFormat: judge as never })
    expect(problemOf(await ask()).code).toBe('key-invalid')
    const own = scene({ keyFormat: judge as never, key: () => 'k' })
    expect(problemOf(await own.ask()).code).toBe('key-invalid')
    expect([...store.calls, ...own.store.calls]).toEqual([])
  })

  it('may stand in another field, or as it stands', async () => {
    const renamed = scene({ header: 'X-Key' })
    expect((await renamed.ask({ key: 'k' })).kind).toBe('bypass')
    expect((await renamed.ask({ fields: { 'x-key': ['k'] } })).kind).toBe('execute')
    const opaque = scene({ keySyntax: 'opaque' })
    expect((await opaque.ask({ key: '"a";b' })).http.execution.key).toBe('"a";b')
    const strict = scene({ keySyntax: 'strict' })
    expect(problemOf(await strict.ask({ key: 'a' })).code).toBe('key-invalid')
  })

  it('may come from elsewhere, and is not parsed then', async () => {
    const { ask } = scene({ key: async ({ id }) => id })
    expect((await ask({ key: 'ignored' })).kind).toBe('bypass')
    expect((await ask({ native: { id: '"a, b' } })).http.execution.key).toBe('"a, b')
    expect(problemOf(await ask({ native: { id: '' } })).code).toBe('key-invalid')
    expect(problemOf(await ask({ native: { id: 1 as never } })).code).toBe('key-invalid')
    expect(problemOf(await ask({ native: { id: 'a'.repeat(256) } })).code).toBe('key-invalid')
  })

  it('is never sent back', async () => {
    const { ask, store } = scene({ required: true })
    const key = 'a-secret-key'
    const begun = [
      await ask({ key }),
      await ask({ key }),
      await ask({ key, json: 1 }),
      await ask({ key: `${key},` }),
    ]
    store.next('acquire', rejects, full)
    begun.push(await ask({ key }), await ask({ key }))
    const replies = begun.filter(({ kind }) => kind === 'reply').map(replied)
    expect(replies).toHaveLength(5)
    for (const { headers, body } of replies) {
      expect(JSON.stringify(headers) + Buffer.from(body).toString()).not.toContain('secret')
    }
  })
})

describe('a scope', () => {
  it.each([
    ['is empty', () => ''],
    ['is undefined', () => undefined as never],
    ['is no text', () => 7 as never],
    [
      'throws',
      () => {
        throw new Error('no session')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no session'))],
  ])('that %s is 500 scope-missing, never a shared bucket', async (_, scope) => {
    const { ask, store } = scene({ scope })
    expect(problemOf(await ask())).toMatchObject({ code: 'scope-missing', status: 500 })
    expect(store.calls).toEqual([])
  })

  it('keeps the keys of callers apart', async () => {
    const { ask } = scene({ scope: async ({ tenant = '' }) => tenant })
    const a = await ask({ key: 'k', native: { tenant: 'a' } })
    expect(a.http.execution).toMatchObject({ protected: true, scope: 'a', key: 'k' })
    expect((await ask({ key: 'k', native: { tenant: 'b' } })).kind).toBe('execute')
    expect(problemOf(await ask({ key: 'k', native: { tenant: 'a' } })).code).toBe(
      'request-in-flight',
    )
  })

  it('of a function that answers "global" is not the global space', async () => {
    const store = memoryStore()
    const shared = createHttpIdempotency<Native>({ store, scope: 'global' })
    const own = createHttpIdempotency<Native>({ store, scope: () => 'global' })
    const begun = await shared.begin(incoming({ key: 'k' }))
    expect(begun.http.execution.scope).toBeUndefined()
    expect((await own.begin(incoming({ key: 'k' }))).kind).toBe('execute')
  })
})

describe('a duplicate', () => {
  it('gets the answer again, byte for byte and marked, and the handler does not run', async () => {
    const { ask, heard } = scene()
    const body = Uint8Array.from({ length: 256 }, (_, at) => at)
    const headers = [
      ['Location', '/orders/1'],
      ['Set-Cookie', 'a=1'],
      ['Link', '</a>, </b>'],
      ['Link', '</c>'],
    ] as const
    const first = executed(await ask())
    expect(await first.finish(given(201, '', { headers, body }))).toBeUndefined()
    for (let turn = 0; turn < 2; turn++) {
      expect(replied(await ask())).toEqual({
        status: 201,
        headers: [headers[0], headers[2], headers[3], ['Idempotent-Replayed', 'true']],
        body: Buffer.from(body),
      })
    }
    expect(heard.names).toEqual(['acquired', 'completed', 'replayed', 'replayed'])
  })

  it.each([
    [204, ''],
    [303, ''],
    [200, ''],
    [404, 'no such sku'],
    [422, '{"code":"out-of-stock"}'],
  ])('gets a %i again', async (status, text) => {
    const { ask } = scene()
    await executed(await ask()).finish(given(status, text))
    expect(replied(await ask())).toMatchObject({ status, body: Buffer.from(text) })
  })

  it('is marked by another name, and only once', async () => {
    const { ask } = scene({ replayedHeader: 'X-Replay' })
    await executed(await ask()).finish(given(200, '', { headers: [['x-replay', 'own']] }))
    expect(replied(await ask()).headers).toEqual([['X-Replay', 'true']])
  })

  it('gets 409 at once while the first is running, and when to ask again', async () => {
    const { ask } = scene({ leaseMs: 60_000, onInFlight: { retryAfterMs: 20_500 } })
    await ask()
    const begun = await ask()
    expect(problemOf(begun)).toMatchObject({ code: 'request-in-flight', status: 409 })
    expect(field(replied(begun), 'Retry-After')).toBe('21')
    expect(field(replied(begun), 'Idempotent-Replayed')).toBeUndefined()
    const short = scene({ leaseMs: 3_000, maxRunMs: 1, onInFlight: { retryAfterMs: 20_500 } })
    await short.ask()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(field(replied(await short.ask()), 'Retry-After')).toBe('2')
  })

  it('with another body, method, path or query gets 422, in flight and after', async () => {
    const { ask, heard } = scene()
    const first = executed(await ask())
    const others: Given[] = [
      { json: { sku: 'B' } },
      { method: 'PATCH' },
      { target: '/orders/1' },
      { target: '/orders?dry=1' },
      { fields: { 'content-type': ['text/plain'] } },
    ]
    for (const other of others) {
      expect(problemOf(await ask({ key: 'k', ...other }))).toMatchObject({
        code: 'key-reused',
        status: 422,
      })
    }
    await first.finish(given(201))
    for (const other of others)
      expect(problemOf(await ask({ key: 'k', ...other })).code).toBe('key-reused')
    expect(replied(await ask()).status).toBe(201)
    expect(heard.names.filter((name) => name === 'mismatch')).toHaveLength(10)
  })

  it('is the same request whatever its other headers, and behind a parser', async () => {
    const { ask } = scene()
    await executed(await ask({ key: 'k', json: { a: 1, b: 2 } })).finish(given(201))
    const fields = {
      'user-agent': ['curl'],
      date: ['now'],
      traceparent: ['00-a'],
      authorization: ['fresh'],
    }
    const body = { kind: 'bytes', bytes: Buffer.from('{ "b": 2, "a": 1 }') } as const
    expect(replied(await ask({ key: 'k', body, fields })).status).toBe(201)
    const parsed = { kind: 'parsed', value: { b: 2, a: 1 } } as const
    expect(replied(await ask({ key: 'k', body: parsed })).status).toBe(201)
  })

  it('of another form than the first runs again under the first’s own', async () => {
    const { ask } = scene()
    const body = { kind: 'parsed', value: { sku: 'A' } } as const
    await executed(await ask({ key: 'k', body })).finish(given(500))
    const second = executed(await ask())
    expect(second.execution.attempt).toBe(2)
    await second.finish(given(200, 'second'))
    expect(replied(await ask({ key: 'k', body }))).toMatchObject({ body: Buffer.from('second') })
  })

  it('is another request on another route under keyScope: route, whatever its query', async () => {
    const { ask } = scene({ keyScope: 'route' })
    await ask()
    expect((await ask({ key: 'k', target: '/refunds' })).kind).toBe('execute')
    expect((await ask({ key: 'k', method: 'PATCH' })).kind).toBe('execute')
    expect(problemOf(await ask({ key: 'k', target: '/orders?a=1' })).code).toBe('key-reused')
  })

  it('gets a status of the user’s choice for a mismatch and in flight', async () => {
    const { ask } = scene({ status: { mismatch: 400, inFlight: 425 }, problemBase: 'urn:p:' })
    await ask()
    expect(problemOf(await ask())).toMatchObject({ status: 425, type: 'urn:p:request-in-flight' })
    expect(problemOf(await ask({ key: 'k', json: 1 }))).toMatchObject({ status: 400 })
  })
})

describe('the fingerprint', () => {
  it('may be off: then the key alone counts, and no body is read', async () => {
    const { ask } = scene({ fingerprint: false })
    const body = { kind: 'too-large' } as const
    await executed(await ask({ key: 'k', body })).finish(given(201))
    expect(replied(await ask({ key: 'k', json: 2, target: '/other' })).status).toBe(201)
  })

  it('may be the user’s own', async () => {
    const { ask } = scene({ fingerprint: async ({ id = '' }) => id })
    await executed(await ask({ key: 'k', native: { id: 'a' } })).finish(given(201))
    expect(replied(await ask({ key: 'k', json: 2, native: { id: 'a' } })).status).toBe(201)
    expect(problemOf(await ask({ key: 'k', native: { id: 'b' } })).code).toBe('key-reused')
  })

  it.each([
    ['too-large', 'body-too-large', 413],
    ['consumed', 'body-consumed', 500],
  ] as const)(
    'of a body that is %s is refused before the store is asked',
    async (kind, code, status) => {
      const { ask, store } = scene()
      expect(problemOf(await ask({ key: 'k', body: { kind } }))).toMatchObject({ code, status })
      expect(store.calls).toEqual([])
    },
  )

  it('made with other settings is a record that cannot be read', async () => {
    const store = memoryStore()
    const before = createHttpIdempotency<Native>({ store, scope: 'global' })
    const after = createHttpIdempotency<Native>({
      store,
      scope: 'global',
      fingerprint: { json: 'raw' },
      onStoreDown: 'run-unprotected',
    })
    await executed(await before.begin(incoming({ key: 'k' }))).finish(given(201))
    expect(problemOf(await after.begin(incoming({ key: 'k' }))).code).toBe('store-unavailable')
  })
})

describe('a callback of the user that throws', () => {
  it.each(['skip', 'key', 'fingerprint'] as const)(
    '%s keeps the handler from running',
    async (name) => {
      const failing = () => Promise.reject(new Error('a mistake'))
      const { ask, store } = scene({ [name]: failing })
      await expect(ask()).rejects.toThrow('a mistake')
      expect(store.calls).toEqual([])
    },
  )

  it('so does a client that goes away while its body is read', async () => {
    const { layer, store } = scene()
    const request = {
      ...incoming({ key: 'k' }),
      readBody: () => Promise.reject(new Error('aborted')),
    }
    await expect(layer.begin(request)).rejects.toThrow('aborted')
    expect(store.calls).toEqual([])
  })
})

describe('a second mount', () => {
  it('with equal options shares the claim of the first', async () => {
    const { ask, layer, store } = scene()
    const carrier = {}
    const first = await ask({ key: 'k', carrier })
    const again = await layer.begin(incoming({ key: 'k', carrier }))
    expect(again.kind).toBe('bypass')
    expect(again.http).toBe(first.http)
    const equal = createHttpIdempotency<Native>({ store, scope: 'global', leaseMs: 60_000 })
    expect((await equal.begin(incoming({ key: 'k', carrier }))).http).toBe(first.http)
    expect(store.calls).toEqual(['acquire'])
  })

  it('with other options is an error that names the option, and the claim is released', async () => {
    const { ask, store } = scene()
    const other = createHttpIdempotency<Native>({ store, scope: 'global', required: true })
    const carrier = {}
    const first = await ask({ key: 'k', carrier })
    await expect(other.begin(incoming({ key: 'k', carrier }))).rejects.toMatchObject({
      code: 'mounted-twice',
      message: expect.stringContaining('"required"'),
    })
    await first.http.finish(given(500))
    expect(store.calls).toEqual(['acquire', 'release'])
    expect((await ask()).http.execution.attempt).toBe(1)
  })

  it('with other options gives a later attempt back as failed: the one before it is not forgotten', async () => {
    const { ask, store } = scene()
    const other = createHttpIdempotency<Native>({ store, scope: 'global', required: true })
    await executed(await ask()).finish(given(500))
    const carrier = {}
    const second = executed(await ask({ key: 'k', carrier }))
    await expect(other.begin(incoming({ key: 'k', carrier }))).rejects.toMatchObject({
      code: 'mounted-twice',
    })
    await second.finish(given(200))
    expect(store.calls).toEqual(['acquire', 'fail', 'acquire', 'fail'])
    expect(executed(await ask()).execution).toMatchObject({ attempt: 3, after: 'failed' })
  })

  it('with other options does not forget effects that were marked before it', async () => {
    const { ask, store } = scene()
    const other = createHttpIdempotency<Native>({ store, scope: 'global', required: true })
    const first = executed(await ask())
    await first.execution.markEffects()
    first.execution.fail()
    await first.finish(given(500))
    const carrier = {}
    await ask({ key: 'k', carrier })
    await expect(other.begin(incoming({ key: 'k', carrier }))).rejects.toThrow('required')
    await executed(await ask()).finish(given(503))
    expect(replied(await ask()).status).toBe(503)
  })

  it('with other options leaves a doubt as it was', async () => {
    const asked: number[] = []
    const onDoubt = async ({ attempt }: { attempt: number }) => {
      asked.push(attempt)
      return 'run-again' as const
    }
    const { ask, store } = scene({ onDoubt })
    const other = createHttpIdempotency<Native>({ store, scope: 'global', onDoubt: 'reject' })
    await executed(await ask()).finish(given(500))
    const carrier = {}
    await ask({ key: 'k', carrier })
    await expect(other.begin(incoming({ key: 'k', carrier }))).rejects.toThrow('onDoubt')
    expect(problemOf(await other.begin(incoming({ key: 'k' }))).code).toBe('outcome-unknown')
    expect(executed(await ask()).execution.attempt).toBe(3)
    expect(asked).toEqual([2, 3])
  })

  it('stands alone for a request that the first let pass', async () => {
    const store = memoryStore()
    const outer = createHttpIdempotency<Native>({ store, scope: 'global', skip: () => true })
    const inner = createHttpIdempotency<Native>({ store, scope: 'global' })
    const carrier = {}
    expect((await outer.begin(incoming({ key: 'k', carrier }))).kind).toBe('bypass')
    expect((await inner.begin(incoming({ key: 'k', carrier }))).kind).toBe('execute')
  })
})

describe('a store that cannot be asked', () => {
  it('is 503 with Retry-After, at once where it answers with an error', async () => {
    const { ask, store, heard } = scene()
    store.next('acquire', rejects, full)
    const down = await ask()
    expect(problemOf(down)).toMatchObject({ code: 'store-unavailable', status: 503 })
    expect(field(replied(down), 'Retry-After')).toBe('1')
    const noRoom = await ask()
    expect(problemOf(noRoom)).toMatchObject({ code: 'store-full', status: 503 })
    expect(field(replied(noRoom), 'Retry-After')).toBe('1')
    expect(heard.names).toEqual(['store-down', 'store-full'])
  })

  it('is 503 after storeTimeoutMs where it does not answer', async () => {
    const { ask, store } = scene({ storeTimeoutMs: 500 })
    store.next('acquire', hangs)
    const begun = ask()
    await vi.advanceTimersByTimeAsync(500)
    expect(problemOf(await begun).code).toBe('store-unavailable')
  })

  it('may let requests run unprotected, which is told', async () => {
    const { ask, store, heard } = scene({ onStoreDown: 'run-unprotected' })
    store.next('acquire', rejects, full)
    const { kind, http } = await ask()
    expect(kind).toBe('bypass')
    expect(http.execution.protected).toBe(false)
    expect(problemOf(await ask()).code).toBe('store-full')
    expect(heard.names).toEqual(['store-down', 'unprotected', 'store-full'])
  })

  it('never lets a record that cannot be read run, also not unprotected', async () => {
    const { ask, store } = scene({ onStoreDown: 'run-unprotected', fingerprint: false })
    const record = { fingerprint: 'any:', attempt: 1, token: 't', remainingMs: 1 }
    for (const result of [Uint8Array.of(), Uint8Array.of(9, 9, 9), Buffer.alloc(64)]) {
      store.next(
        'acquire',
        answers({ kind: 'exists', record: { ...record, state: 'completed', result } }),
      )
      expect(problemOf(await ask())).toMatchObject({ code: 'store-unavailable', status: 503 })
    }
  })

  it('never counts our own answers as a key’s result', async () => {
    const { ask, store } = scene()
    await ask()
    await ask()
    await ask({ key: 'k', json: 2 })
    store.next('acquire', full)
    await ask({ key: 'other' })
    const writes = store.calls.filter((verb) => verb !== 'acquire' && verb !== 'read')
    expect(writes).toEqual([])
  })
})

describe('what operators hear', () => {
  it('names the scope, or the space that all share, and never a key', async () => {
    const shared = scene()
    await shared.ask({ key: 'secret' })
    expect(shared.heard.details).toEqual([expect.objectContaining({ scope: 'global', attempt: 1 })])
    expect(JSON.stringify(shared.heard.details)).not.toContain('secret')
    const own = scene({ scope: () => 'tenant' })
    await own.ask()
    expect(own.heard.details).toEqual([expect.objectContaining({ scope: 'tenant' })])
  })
})
