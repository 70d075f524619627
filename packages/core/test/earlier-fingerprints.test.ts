import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { decide } from '../src/decision.js'
import { type Begun, createHttpIdempotency } from '../src/http-idempotency.js'
import type { IdempotencyOptions } from '../src/options.js'
import type { IdempotencyRecord } from '../src/store.js'
import { useFakeClock } from './fake-clock.js'
import { faultyStore } from './faulty-store.js'
import { type Given, given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const record = { fingerprint: '7:value=old', attempt: 3, token: 't' }
const result = Uint8Array.of(7)
const standing: Record<string, IdempotencyRecord> = {
  completed: { ...record, state: 'completed', result, remainingMs: 9 },
  'in flight': { ...record, state: 'in_flight', leaseRemainingMs: 9_000 },
  abandoned: { ...record, state: 'in_flight', leaseRemainingMs: 0 },
  failed: { ...record, state: 'failed', inDoubt: false, remainingMs: 9 },
}

describe('what is decided over a record of earlier settings', () => {
  const decided = (record: IdempotencyRecord, like: string | undefined, takeover = true) =>
    decide(
      { kind: 'exists', record },
      {
        fingerprint: '8:value=new',
        earlier: (id) => (id === '7' ? like : undefined),
        takeover,
        retryAfterMs: 1_000,
      },
    )

  it('is the same as over one of its own, where the request is the same under those', () => {
    const again = { kind: 'again', fingerprint: record.fingerprint, attempt: 3 }
    const decisions = Object.values(standing).map((each) => decided(each, record.fingerprint))
    expect(decisions).toEqual([
      { kind: 'replay', result, attempt: 3 },
      { kind: 'in-flight', retryAfterMs: 1_000, attempt: 3 },
      again,
      again,
    ])
    expect(decided(standing.abandoned as IdempotencyRecord, '7:value=old', false).kind).toBe(
      'doubt',
    )
  })

  it('is a mismatch in every state, where it is another under those', () => {
    for (const each of Object.values(standing))
      expect(decided(each, '7:value=other').kind).toBe('mismatch')
  })

  it('is that it cannot be read in any state, where nobody here has those settings', () => {
    for (const each of Object.values(standing)) {
      expect(decided(each, undefined).kind).toBe('unreadable')
      expect(decided({ ...each, fingerprint: '6:value=old' }, '7:value=old').kind).toBe(
        'unreadable',
      )
    }
  })
})

describe('after a change of settings', () => {
  const secret = 'a secret of thirty-two characters'
  const scene = () => {
    const store = faultyStore()
    const layer = (options: IdempotencyOptions<Native>['fingerprint'], more = {}) => {
      const { begin } = createHttpIdempotency<Native>({
        store,
        scope: 'global',
        ...(options !== undefined && { fingerprint: options }),
        ...more,
      })
      return (request: Given = {}): Promise<Begun> => begin(incoming({ key: 'k', ...request }))
    }
    return { store, before: layer({}), after: layer({ secret, previous: [{}] }), layer }
  }
  const statusOf = (begun: Begun): number => (begun.kind === 'reply' ? begun.reply.status : 0)
  const finish = async (begun: Begun, status: number): Promise<void> => {
    expect(begun.kind).toBe('execute')
    await begun.http.finish(given(status, 'done'))
  }

  it('a completed record is replayed', async () => {
    const { before, after } = scene()
    await finish(await before(), 201)
    expect(statusOf(await after())).toBe(201)
    expect(statusOf(await after({ json: { sku: 'B' } }))).toBe(422)
  })

  it('a record in flight is in flight', async () => {
    const { before, after } = scene()
    await before()
    expect(statusOf(await after())).toBe(409)
    expect(statusOf(await after({ json: { sku: 'B' } }))).toBe(422)
  })

  it('a failed record runs again, and keeps its fingerprint to the end', async () => {
    const { before, after } = scene()
    await finish(await before(), 500)
    expect(statusOf(await after({ json: { sku: 'B' } }))).toBe(422)
    const again = await after()
    expect(again.http.execution).toMatchObject({ attempt: 2, after: 'failed' })
    expect(statusOf(await after())).toBe(409)
    await finish(again, 201)
    expect(statusOf(await after())).toBe(201)
    expect(statusOf(await before())).toBe(201)
  })

  it('an abandoned record is taken over', async () => {
    const { before, after, layer } = scene()
    const short = layer({}, { leaseMs: 10, maxRunMs: 1 })
    await short()
    await vi.advanceTimersByTimeAsync(50)
    const again = await after()
    expect(again.http.execution).toMatchObject({ attempt: 2, after: 'abandoned' })
    expect(statusOf(await before())).toBe(409)
  })

  it('a record of a secret that is listed no more is refused, and nothing runs', async () => {
    const { layer, before, after } = scene()
    await finish(await layer({ secret })(), 201)
    expect(statusOf(await before())).toBe(503)
    expect(statusOf(await layer({ secret: `${secret}!` })())).toBe(503)
    expect(statusOf(await layer({ secret: `${secret}!`, previous: [{ secret }] })())).toBe(201)
    expect(statusOf(await after())).toBe(201)
  })

  it('a record made with the comparison off, or by a function, is refused as before', async () => {
    for (const made of [false, () => 'a'] as const) {
      const { layer, after } = scene()
      await finish(await layer(made)(), 201)
      expect(statusOf(await after())).toBe(503)
      expect(statusOf(await layer(made)())).toBe(201)
    }
  })
})

describe('a coding of the request', () => {
  const layer = (options: Partial<IdempotencyOptions<Native>> = {}) => {
    const { begin } = createHttpIdempotency<Native>({
      store: faultyStore(),
      scope: 'global',
      ...options,
    })
    return (bytes: Uint8Array, coding: readonly string[] = []): Promise<Begun> =>
      begin(
        incoming({
          key: 'k',
          body: { kind: 'bytes', bytes },
          fields: { 'content-encoding': coding },
        }),
      )
  }
  const codeOf = (begun: Begun): unknown =>
    begun.kind === 'reply' ? JSON.parse(Buffer.from(begun.reply.body).toString()).code : begun.kind

  it('does not count', async () => {
    const ask = layer()
    expect(codeOf(await ask(Buffer.from('{"a":1}')))).toBe('execute')
    expect(codeOf(await ask(gzipSync('{ "a":1 }'), ['gzip']))).toBe('request-in-flight')
    expect(codeOf(await ask(gzipSync('{"a":2}'), ['gzip']))).toBe('key-reused')
  })

  it('is body-too-large where it unfolds to more than maxRequestBody', async () => {
    const ask = layer({ maxRequestBody: 100 })
    expect(codeOf(await ask(gzipSync('a'.repeat(101)), ['gzip']))).toBe('body-too-large')
    expect(codeOf(await ask(gzipSync('a'.repeat(100)), ['gzip']))).toBe('execute')
  })
})
