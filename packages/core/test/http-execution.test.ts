import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import type { HttpExecution } from '../src/http-execution.js'
import { type Begun, createHttpIdempotency } from '../src/http-idempotency.js'
import type { IdempotencyOptions } from '../src/options.js'
import type { HttpResponse } from '../src/response.js'
import type { Keep, KeepCandidate } from '../src/response-policy.js'
import { useFakeClock } from './fake-clock.js'
import { answers, faultyStore, full, hangs, rejects } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { recordKey } from './http-scene.js'
import { type Given, given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const leaseMs = 60_000

const scene = (options: Partial<IdempotencyOptions<Native>> = {}) => {
  const store = faultyStore()
  const layer = createHttpIdempotency<Native>({ store, scope: 'global', leaseMs, ...options })
  const ask = (request: Given = {}) => layer.begin(incoming({ key: 'k', ...request }))
  const run = async (): Promise<HttpExecution> => {
    const begun = await ask()
    expect(begun.kind).toBe('execute')
    return begun.http
  }
  return { store, ask, run, heard: heardEvents(layer.events) }
}

const codeOf = (response: HttpResponse | undefined): string =>
  (JSON.parse(Buffer.from(response?.body ?? '{}').toString()) as { code: string }).code
const replyOf = (begun: Begun): HttpResponse => {
  if (begun.kind !== 'reply') throw new Error(`expected a reply, got ${begun.kind}`)
  return begun.reply
}

/** What a retry of the request meets. */
const after = async (ask: () => Promise<Begun>): Promise<string> => {
  const begun = await ask()
  if (begun.kind === 'execute') return `attempt ${begun.http.execution.attempt}`
  const reply = replyOf(begun)
  const isReplay = reply.headers.some(([name]) => name === 'Idempotent-Replayed')
  return isReplay ? `replay ${reply.status}` : codeOf(reply)
}

describe('an answer', () => {
  it.each([
    [200, 'replay 200'],
    [303, 'replay 303'],
    [402, 'replay 402'],
    [404, 'replay 404'],
    [401, 'attempt 1'],
    [403, 'attempt 1'],
    [429, 'attempt 1'],
    [408, 'attempt 2'],
    [409, 'attempt 2'],
    [423, 'attempt 2'],
    [425, 'attempt 2'],
    [500, 'attempt 2'],
    [503, 'attempt 2'],
  ])('of %i lets a retry meet: %s', async (status, expected) => {
    const { run, ask } = scene()
    expect(await (await run()).finish(given(status))).toBeUndefined()
    expect(await after(ask)).toBe(expected)
  })

  it('that no route gave leaves no trace, while a handler’s own 404 is kept', async () => {
    const { run, ask } = scene()
    await (await run()).finish(given(404, '', { unmatched: true }))
    expect(await after(ask)).toBe('attempt 1')
  })

  it('is what the user’s policy makes of it', async () => {
    const keep = vi.fn(
      ({ status }: KeepCandidate): Keep => (status === 500 ? 'complete' : 'release'),
    )
    const { run, ask } = scene({ keep })
    await (await run()).finish(given(201, '', { headers: [['ETag', '"a"']] }))
    expect(keep).toHaveBeenCalledExactlyOnceWith({ status: 201, headers: [['ETag', '"a"']] })
    await (await run()).finish(given(500))
    expect(await after(ask)).toBe('replay 500')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('a mistake')
      },
    ],
    ['answers nonsense', () => 'keep' as never],
  ])('counts by the default where the user’s policy %s', async (_, keep) => {
    const { run, ask } = scene({ keep })
    await (await run()).finish(given(201))
    expect(await after(ask)).toBe('replay 201')
  })

  it('is what the handler has said, whatever its status; the last word counts', async () => {
    const words: [(http: HttpExecution) => void, number, string][] = [
      [({ execution }) => execution.complete(), 500, 'replay 500'],
      [({ execution }) => execution.fail(), 201, 'attempt 2'],
      [({ execution }) => execution.release(), 201, 'attempt 1'],
      [({ execution }) => void execution.markEffects(), 500, 'replay 500'],
      [({ execution }) => void execution.markEffects(), 401, 'replay 401'],
      [
        ({ execution }) => {
          execution.complete()
          void execution.markEffects()
          execution.fail()
        },
        201,
        'attempt 2',
      ],
      [
        ({ execution }) => {
          execution.release()
          execution.complete()
        },
        503,
        'replay 503',
      ],
    ]
    for (const [say, status, expected] of words) {
      const { run, ask } = scene({ keep: () => 'release' })
      const http = await run()
      say(http)
      await http.finish(given(status))
      expect(await after(ask)).toBe(expected)
    }
  })

  it('that threw or is 5xx leaves a doubt only where doubt is not run again', async () => {
    for (const [status, expected] of [
      [500, 'outcome-unknown'],
      [503, 'outcome-unknown'],
      [409, 'attempt 2'],
      [429, 'attempt 1'],
    ] as const) {
      const { run, ask } = scene({ onDoubt: 'reject' })
      await (await run()).finish(given(status))
      expect(await after(ask)).toBe(expected)
    }
    const { run, ask } = scene({ onDoubt: 'reject' })
    const http = await run()
    http.execution.fail()
    await http.finish(given(500))
    expect(await after(ask)).toBe('attempt 2')
  })

  it('in doubt has no Retry-After, and is kept for doubtRetentionMs', async () => {
    const { run, ask } = scene({ onDoubt: 'reject', retentionMs: 1_000, doubtRetentionMs: 50_000 })
    await (await run()).finish(given(500))
    const reply = replyOf(await ask())
    expect(reply.status).toBe(409)
    expect(reply.headers.map(([name]) => name)).not.toContain('Retry-After')
    await vi.advanceTimersByTimeAsync(49_999)
    expect(await after(ask)).toBe('outcome-unknown')
    await vi.advanceTimersByTimeAsync(1)
    expect(await after(ask)).toBe('attempt 1')
  })
})

describe('an answer that cannot be given again', () => {
  const lost = async (
    answer: Parameters<HttpExecution['finish']>[0],
    options: Partial<IdempotencyOptions<Native>> = {},
  ) => {
    const { run, ask } = scene(options)
    expect(await (await run()).finish(answer)).toBeUndefined()
    return ask()
  }
  const headers = [['Location', '/orders/1']] as const

  it.each([
    ['broke off', given(201, '', { headers, body: undefined })],
    ['is too large', given(201, 'a'.repeat(101), { headers })],
    ['has switched protocols', given(101, '', { headers })],
    [
      'has a field that HTTP does not allow',
      given(201, '', { headers: [...headers, ['X', '\u0001']] }),
    ],
  ])(
    'since it %s is 409 response-not-stored, with the place of what it made',
    async (_, answer) => {
      const reply = replyOf(await lost(answer, { maxStoredBody: 100 }))
      expect(codeOf(reply)).toBe('response-not-stored')
      expect(reply.headers).toContainEqual(['Location', '/orders/1'])
      expect(reply.headers.map(([name]) => name)).not.toContain('Retry-After')
    },
  )

  it('is still of a failed or released status where it has one, whatever its size', async () => {
    for (const [status, attempt] of [
      [500, 2],
      [429, 1],
    ] as const) {
      const begun = await lost(given(status, '', { body: undefined }))
      expect(begun.http.execution.attempt).toBe(attempt)
    }
  })

  it('is told of by keeps() before its head leaves', async () => {
    const { run } = scene()
    const http = await run()
    expect(http.maxStoredBody).toBe(1_048_576)
    expect(http.keeps(given(201))).toBe(true)
    expect(http.keeps(given(500))).toBe(false)
    expect(http.keeps(given(429))).toBe(false)
    http.execution.complete()
    expect(http.keeps(given(500))).toBe(true)
  })

  it('may be one of whom the store has no room for the body', async () => {
    const { run, ask, store, heard } = scene()
    store.next('complete', full)
    expect(await (await run()).finish(given(201, 'body', { headers }))).toBeUndefined()
    expect(heard.names).toEqual(['acquired', 'store-full', 'completed'])
    const reply = replyOf(await ask())
    expect(codeOf(reply)).toBe('response-not-stored')
    expect(reply.headers).toContainEqual(['Location', '/orders/1'])
  })
})

describe('a replay', () => {
  it('is in a coding that its client takes', async () => {
    const { run, ask } = scene()
    const headers = [
      ['Content-Encoding', 'gzip'],
      ['ETag', '"a"'],
    ] as const
    await (await run()).finish(given(200, '', { headers, body: gzipSync('text') }))
    const plain = replyOf(await ask())
    expect(Buffer.from(plain.body).toString()).toBe('text')
    expect(plain.headers).toEqual([
      ['ETag', 'W/"a"'],
      ['Idempotent-Replayed', 'true'],
    ])
    const packed = replyOf(await ask({ fields: { 'accept-encoding': ['br', 'gzip'] } }))
    expect(packed.body).toEqual(gzipSync('text'))
  })

  it('that no client can read tells at least where the first made something', async () => {
    const { run, ask } = scene()
    const headers = [
      ['Content-Encoding', 'zstd'],
      ['Location', '/orders/1'],
    ] as const
    await (await run()).finish(given(201, 'packed', { headers }))
    const reply = replyOf(await ask())
    expect(codeOf(reply)).toBe('response-not-stored')
    expect(reply.headers).toContainEqual(['Location', '/orders/1'])
  })

  it('has only the headers that replayHeaders allows', async () => {
    const { run, ask } = scene({ replayHeaders: ['ETag'] })
    const headers = [
      ['etag', '"a"'],
      ['Location', '/a'],
    ] as const
    await (await run()).finish(given(200, '', { headers }))
    expect(replyOf(await ask()).headers).toEqual([
      ['etag', '"a"'],
      ['Idempotent-Replayed', 'true'],
    ])
  })

  it('has no header that stood in front of the layer', async () => {
    const { run, ask } = scene()
    const outerHeaders = [['X-Frame', 'DENY']] as const
    await (await run()).finish(
      given(200, '', { headers: [...outerHeaders, ['X-Own', '1']], outerHeaders }),
    )
    expect(replyOf(await ask()).headers).toEqual([
      ['X-Own', '1'],
      ['Idempotent-Replayed', 'true'],
    ])
  })
})

describe('a holder that lost its lease', () => {
  const stoodStill = async () => {
    const made = scene()
    const first = await made.run()
    made.store.always('renew', hangs)
    await vi.advanceTimersByTimeAsync(leaseMs)
    made.store.always('renew', undefined)
    return { ...made, first, second: await made.run() }
  }

  it('gets the other’s answer as a replay', async () => {
    const { first, second, ask } = await stoodStill()
    expect(second.execution).toMatchObject({ attempt: 2, after: 'abandoned' })
    await second.finish(given(201, 'second'))
    expect(await first.finish(given(200, 'first'))).toMatchObject({
      status: 201,
      headers: [['Idempotent-Replayed', 'true']],
      body: Buffer.from('second'),
    })
    expect(await after(ask)).toBe('replay 201')
  })

  it('gets 409 while the other is running, and 503 where that cannot be found out', async () => {
    const running = await stoodStill()
    expect(codeOf(await running.first.finish(given(200)))).toBe('request-in-flight')
    const down = await stoodStill()
    down.store.always('read', rejects)
    expect(codeOf(await down.first.finish(given(200)))).toBe('store-unavailable')
    const hung = await stoodStill()
    hung.store.always('read', hangs)
    const reply = hung.first.finish(given(200))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(codeOf(await reply)).toBe('store-unavailable')
  })

  it('never gets the answer to another request that has the key since the record was lost', async () => {
    const { run, ask, store } = scene()
    const first = await run()
    await store.release({ recordKey, token: store.tokens[0] as string })
    const other = await ask({ json: { sku: 'B' } })
    expect(other.kind).toBe('execute')
    await other.http.finish(given(201, 'of another'))
    const reply = await first.finish(given(200, 'first'))
    expect(reply?.status).toBe(409)
    expect(codeOf(reply)).toBe('request-in-flight')
    expect(await after(() => ask({ json: { sku: 'B' } }))).toBe('replay 201')
    expect(await after(ask)).toBe('key-reused')
  })

  it('gets the answer to the same request that has the key since, whatever form it was read in', async () => {
    for (const body of [undefined, { kind: 'parsed', value: { sku: 'A' } } as const]) {
      const { run, ask, store } = scene()
      const first = await run()
      await store.release({ recordKey, token: store.tokens[0] as string })
      const other = await ask(body && { body })
      await other.http.finish(given(201, 'second'))
      expect(await first.finish(given(200, 'first'))).toMatchObject({
        status: 201,
        headers: [['Idempotent-Replayed', 'true']],
      })
    }
  })

  it('cannot undo the other by a failure or a release', async () => {
    for (const status of [500, 429]) {
      const { first, second, ask } = await stoodStill()
      await second.finish(given(201))
      expect(await first.finish(given(status))).toMatchObject({ status: 201 })
      expect(await after(ask)).toBe('replay 201')
    }
  })

  it('is told by its signal before it answers', async () => {
    const { first, second, heard } = await stoodStill()
    await vi.advanceTimersByTimeAsync(leaseMs)
    expect(first.execution.signal.aborted).toBe(true)
    expect(second.execution.signal.aborted).toBe(false)
    expect(heard.names.filter((name) => name === 'lease-lost')).toHaveLength(1)
    expect(codeOf(await first.finish(given(200)))).toBe('request-in-flight')
  })
})

describe('a store that fails at the ending', () => {
  it('never makes an error of a true answer', async () => {
    const { run, ask, store, heard } = scene()
    store.always('complete', rejects)
    const finished = (await run()).finish(given(201))
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await finished).toBeUndefined()
    expect(heard.names).toContain('completion-retried')
    expect(await after(ask)).toBe('request-in-flight')
    store.always('complete', undefined)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await after(ask)).toBe('replay 201')
  })

  it('is no lost lease where only its answers are lost', async () => {
    const { run, ask, store } = scene()
    store.next('complete', async (forward) => {
      await forward()
      throw new Error('connection reset')
    })
    const finished = (await run()).finish(given(201))
    await vi.advanceTimersByTimeAsync(100)
    expect(await finished).toBeUndefined()
    expect(await after(ask)).toBe('replay 201')
  })

  it('may have lost the record: it is claimed again and written', async () => {
    const { run, ask, store } = scene()
    store.next('complete', answers('gone'))
    expect(await (await run()).finish(given(201))).toBeUndefined()
    expect(store.calls).toEqual(['acquire', 'complete', 'acquire', 'complete'])
    expect(await after(ask)).toBe('replay 201')
  })
})
