import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import type { Codec } from '../src/codec.js'
import { compressed } from '../src/compressed.js'
import { encrypted } from '../src/encrypted.js'
import { StoreError } from '../src/errors.js'
import { createHttpIdempotency } from '../src/http-idempotency.js'
import { decodeResult, encodeResult } from '../src/record.js'
import { createIdempotency } from '../src/run.js'
import { reservedBytes } from '../src/store.js'
import { transactionSide } from '../src/transaction.js'
import { askedWith, refused, response, resultsOf } from './codec-scene.js'
import { useFakeClock } from './fake-clock.js'
import { answers, full } from './faulty-store.js'
import { executed, field, httpScene, problemOf, recordKey, standing, told } from './http-scene.js'
import { given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const key = randomBytes(32)
const secret = () => encrypted({ keys: { '2026': key }, current: '2026' })
/** A codec that answers later, as one that asks a key service. */
const later = (codec: Codec, ms = 10): Codec => ({
  ...codec,
  synchronous: false,
  encode: async (bytes, record) => {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return codec.encode(bytes, record)
  },
  decode: async (bytes, record) => {
    await new Promise((resolve) => setTimeout(resolve, ms))
    return codec.decode(bytes, record)
  },
})
const plainly = (readsPlain: boolean): Codec => ({
  synchronous: true,
  readsPlain,
  encode: (bytes) => bytes,
  decode: (bytes) => bytes,
})
const failing = (part: 'encode' | 'decode', fail: () => unknown): Codec => ({
  ...plainly(false),
  [part]: fail,
})
const chains: Record<string, Codec | readonly Codec[]> = {
  none: [],
  compressed: compressed({ fromBytes: 1 }),
  encrypted: secret(),
  'compressed and encrypted': [compressed({ fromBytes: 1 }), secret()],
  'encrypted twice': [secret(), secret()],
  'one that answers later': [compressed(), later(secret(), 0)],
}

describe.each(Object.entries(chains))('codec: %s', (name, codec) => {
  it('gives back every result as it was', async () => {
    vi.useRealTimers()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3_000 }), async (body) => {
        const results = resultsOf(codec)
        const result = encodeResult(response(body))
        const stored = await results.wrap(result, 'record')
        expect(await results.unwrap(stored, 'record')).toEqual(decodeResult(result))
      }),
      { numRuns: name.includes('later') ? 20 : 100 },
    )
  })

  it('keeps an answer, and replays its bytes', async () => {
    vi.useRealTimers()
    const { answered, ask } = httpScene({ codec })
    expect(await answered(201, 'mine', { headers: [['Location', '/1']] })).toBeUndefined()
    expect(told(await ask())).toBe('201 again mine')
  })

  it('keeps a value', async () => {
    vi.useRealTimers()
    const { run } = createIdempotency({ store: memoryStore(), codec })
    const operation = { key: 'k', scope: 's' }
    for (const _ of ['first', 'second']) {
      expect(await run(operation, () => ({ booked: 'ä'.repeat(2_000) }))).toEqual({
        booked: 'ä'.repeat(2_000),
      })
    }
  })
})

describe('a record that was written plain', () => {
  const plain = encodeResult(response(Buffer.from('old')))

  it('is refused by encryption, which cannot know who has written it', async () => {
    expect(await askedWith(secret(), plain)).toEqual(refused)
    expect(await askedWith([compressed(), secret()], plain)).toEqual(refused)
  })

  it('is read where that is wished for, and by a codec that does not authenticate', async () => {
    const reading = encrypted({ keys: { a: key }, current: 'a', plain: 'read' })
    for (const codec of [reading, compressed(), [compressed(), reading]]) {
      expect(await resultsOf(codec).unwrap(plain, 'r')).toEqual(decodeResult(plain))
    }
  })

  it('is read where it tells no more than that something has happened', async () => {
    for (const nothing of [
      { kind: 'response-not-stored', location: undefined },
      { kind: 'value-not-stored' },
    ] as const) {
      expect(await resultsOf(secret()).unwrap(encodeResult(nothing), 'r')).toEqual(nothing)
    }
    const more = encodeResult({ kind: 'response-not-stored', location: '/phishing' })
    expect(await askedWith(secret(), more)).toEqual(refused)
  })

  it('is all that a layer without a codec reads', async () => {
    const wrapped = await resultsOf(compressed()).wrap(plain, recordKey)
    expect(await askedWith([], wrapped)).toEqual(refused)
  })
})

describe('a codec that fails', () => {
  const broken = (): never => {
    throw new Error('no key today')
  }
  const ways: [string, () => unknown][] = [
    ['throws', broken],
    ['rejects', () => Promise.reject(new Error('no key today'))],
    ['answers no bytes', () => 'text'],
    ['answers nothing', () => undefined],
    ['promises nothing', () => Promise.resolve(undefined)],
  ]

  it.each(ways)('to wrap (it %s) costs the answer, not the record', async (_, fail) => {
    const { answered, ask, heard } = httpScene({ codec: failing('encode', fail) })
    const location = { headers: [['Location', '/secret/1']] } as const
    expect(await answered(201, 'mine', location)).toBeUndefined()
    expect(heard.names).toEqual(['acquired', 'codec-failed', 'completed'])
    const duplicate = await ask()
    expect(problemOf(duplicate)).toEqual({ code: 'response-not-stored', retryAfter: undefined })
    expect(JSON.stringify(duplicate)).not.toContain('secret')
    expect(JSON.stringify(heard.details)).not.toContain('secret')
  })

  it.each(ways)('to wrap a value (it %s) costs no second run', async (_, fail) => {
    const { run } = createIdempotency({ store: memoryStore(), codec: failing('encode', fail) })
    const work = vi.fn(() => 'booked')
    const operation = { key: 'k', scope: 's' }
    expect(await run(operation, work)).toBe('booked')
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'response-not-stored' })
    expect(work).toHaveBeenCalledTimes(1)
  })

  it.each(ways)('to unwrap (it %s) is 503, and nothing runs', async (_, fail) => {
    const stored = await resultsOf(plainly(false)).wrap(encodeResult(response(Buffer.of())), 'r')
    expect(await askedWith(failing('decode', fail), stored)).toEqual(refused)
  })

  it('inside a transaction lets nothing be committed', async () => {
    for (const fail of [broken, async () => new Uint8Array()]) {
      const { ask } = httpScene({ codec: failing('encode', fail) })
      const http = executed(await ask())
      http.lend({ hold: () => {}, given: () => given(201), letGo: () => {}, restore: () => {} })
      const side = transactionSide(http.execution)
      side.begin()
      expect(() => side.ending(undefined)).toThrow()
      side.rolledBack('failed')
      await http.finish(given(500))
      expect(executed(await ask()).execution.attempt).toBe(2)
    }
  })

  it('to answer in time lets the answer go, and keeps trying for the record', async () => {
    const { ask } = httpScene({
      codec: later(plainly(false), 5_000),
      storeTimeoutMs: 2_000,
    })
    const finished = executed(await ask()).finish(given(201, 'mine'))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await finished).toBeUndefined()
    expect(problemOf(await ask()).code).toBe('request-in-flight')
    await vi.advanceTimersByTimeAsync(3_000)
    const late = ask()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(problemOf(await late).code).toBe('store-unavailable')
  })

  it('to answer at all costs the answer when maxRunMs is over, and no second run', async () => {
    const hung: Codec = {
      ...plainly(false),
      synchronous: false,
      encode: () => new Promise(() => {}),
    }
    const { answered, ask, heard } = httpScene({ codec: hung, maxRunMs: 30_000 })
    const finished = answered(201, 'mine')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await finished).toBeUndefined()
    await vi.advanceTimersByTimeAsync(28_000)
    expect(problemOf(await ask()).code).toBe('response-not-stored')
    expect(heard.names).toContain('codec-failed')
  })

  it('to answer a duplicate at all is 503 after storeTimeoutMs, and nothing runs', async () => {
    const hung: Codec = {
      ...plainly(false),
      synchronous: false,
      decode: () => new Promise(() => {}),
    }
    const { answered, ask } = httpScene({ codec: hung, onStoreDown: 'run-unprotected' })
    await answered(201, 'mine')
    const asked = ask()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(problemOf(await asked).code).toBe('store-unavailable')
  })
})

describe('a result that finds no room', () => {
  const locations = [
    '/orders/1',
    `/orders/${'x'.repeat(150)}`,
    `/${'ä'.repeat(150)}`,
    `/${'x'.repeat(5_000)}`,
  ]
  const named = Object.entries(chains).flatMap(([name, codec]) =>
    locations.map((location) => [name, location.slice(0, 12), location, codec] as const),
  )

  it.each(named)(
    'is kept in what every lease keeps free: %s, %s…',
    async (_, _2, location, codec) => {
      vi.useRealTimers()
      const { store, answered, ask, inner } = httpScene({ codec })
      store.next('complete', full)
      // As Node sends it: a field is latin1.
      const headers = [['Location', Buffer.from(location).toString('latin1')]] as const
      await answered(201, 'x'.repeat(1_000), { headers })
      const record = await standing({ inner })
      if (record.state !== 'completed') throw new Error('it is not completed')
      expect(record.result.length).toBeLessThanOrEqual(reservedBytes)
      const duplicate = await ask()
      expect(problemOf(duplicate).code).toBe('response-not-stored')
      const told = duplicate.kind === 'reply' && field(duplicate.reply, 'Location')
      expect([headers[0][1], undefined]).toContain(told)
      if (location === '/orders/1') expect(told).toBe(location)
    },
  )

  it('fits the memory store that had room for its lease and nothing else', async () => {
    for (const codec of [[], secret(), [compressed(), secret()]]) {
      const store = memoryStore({ maxBytes: 2_000 })
      const layer = createHttpIdempotency<Native>({ store, scope: 'global', codec })
      const http = executed(await layer.begin(incoming({ key: 'k' })))
      const headers = [['Location', `/${'ä'.repeat(90)}`]] as const
      await http.finish(given(201, '', { headers, body: randomBytes(5_000) }))
      expect(problemOf(await layer.begin(incoming({ key: 'k' }))).code).toBe('response-not-stored')
    }
  })
})

describe('what errors and events tell', () => {
  it('is neither a key nor a body, also where the options of encryption stand for the codec', () => {
    const keys = { '2026': Buffer.alloc(32, 77) }
    for (const codec of [{ keys, current: '2026' }, [{ keys }], 'my secret', keys['2026']]) {
      let message = ''
      try {
        createIdempotency({ store: memoryStore(), codec: codec as never })
      } catch (error) {
        message = (error as Error).message
      }
      expect(message).toContain('"codec"')
      expect(message).not.toMatch(/77|my secret/)
    }
  })

  it('says which codec refuses, never what it was given', async () => {
    const { store, answered, ask, inner, heard } = httpScene({ codec: secret() })
    await answered(201, 'card 4111')
    const record = await standing({ inner })
    if (record.state !== 'completed') throw new Error('it is not completed')
    const result = Buffer.from(record.result)
    result[result.length - 1] = (result[result.length - 1] ?? 0) ^ 1
    store.next('acquire', answers({ kind: 'exists', record: { ...record, result } }))
    await ask()
    const { error } = heard.details.at(-1) as { error: Error }
    expect(error).toBeInstanceOf(StoreError)
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      for (const text of ['4111', key.toString('hex'), key.toString('base64')])
        expect(cause.message).not.toContain(text)
    }
  })
})
