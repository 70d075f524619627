import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import { InFlightError, isIdempotencyError, StoreError } from '../src/errors.js'
import type { Execution } from '../src/execution.js'
import { uuid } from '../src/idempotency-key.js'
import type { CommonOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import { useFakeClock } from './fake-clock.js'
import { answers, faultyStore, full, hangs, rejects } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const operation = { key: 'k', scope: 's', payload: { sku: 'A', delta: -5 } }

const scene = (options: Partial<CommonOptions> = {}) => {
  const store = faultyStore()
  const layer = createIdempotency({ store, ...options })
  return { store, layer, run: layer.run, heard: heardEvents(layer.events) }
}

/** Work that ends when the test says so. */
const controlled = <T>() => {
  let end = (_: T): void => {}
  let fail = (_: Error): void => {}
  const ended = new Promise<T>((resolve, reject) => {
    end = resolve
    fail = reject
  })
  return {
    work: vi.fn((_: Execution) => ended),
    end: (value: T) => end(value),
    fail: (error: Error) => fail(error),
  }
}

describe('work under one key', () => {
  it('runs once for 100 callers at the same time', async () => {
    const { run } = scene()
    const work = vi.fn(async () => ({ id: 1 }))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, () => run(operation, work)),
    )
    expect(work).toHaveBeenCalledTimes(1)
    const told = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(told.length).toBeGreaterThanOrEqual(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') expect(outcome.value).toEqual({ id: 1 })
      else expect(outcome.reason).toBeInstanceOf(InFlightError)
    }
    expect(await run(operation, work)).toEqual({ id: 1 })
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('has one winner while it runs, and the others hear when to ask again', async () => {
    const { run, heard } = scene({ onInFlight: { retryAfterMs: 1_500 } })
    const { work, end } = controlled<number>()
    const all = Array.from({ length: 100 }, () =>
      run(operation, work).catch((error: unknown) => error),
    )
    await vi.advanceTimersByTimeAsync(0)
    end(7)
    const outcomes = await Promise.all(all)
    expect(outcomes.filter((outcome) => outcome === 7)).toHaveLength(1)
    const refused = outcomes.filter((outcome) => outcome instanceof InFlightError)
    expect(refused).toHaveLength(99)
    expect(refused[0]?.retryAfterMs).toBe(1_500)
    expect(refused[0]?.code).toBe('request-in-flight')
    expect(heard.names.filter((name) => name === 'in-flight')).toHaveLength(99)
  })

  it('answers the same value both times, as JSON keeps it', async () => {
    const { run } = scene()
    class Order {
      constructor(
        readonly id: number,
        readonly at: Date,
      ) {}
      readonly none = undefined
    }
    const work = async () => new Order(1, new Date(0))
    const first = await run(operation, work)
    const second = await run(operation, work)
    expect(first).toStrictEqual({ id: 1, at: '1970-01-01T00:00:00.000Z' })
    expect(second).toStrictEqual(first)
    expect(second).not.toBe(first)
  })

  it('may answer nothing', async () => {
    const { run } = scene()
    const work = vi.fn(() => undefined)
    expect(await run(operation, work)).toBeUndefined()
    expect(await run(operation, work)).toBeUndefined()
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('is refused with another payload, also while the first is running', async () => {
    const { run } = scene()
    const { work, end } = controlled<number>()
    const other = { ...operation, payload: { sku: 'B' } }
    const first = run(operation, work)
    await expect(run(other, work)).rejects.toMatchObject({ code: 'key-reused' })
    end(1)
    await first
    await expect(run(other, work)).rejects.toMatchObject({ code: 'key-reused' })
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('is the same work when its payload means the same', async () => {
    const { run } = scene()
    const work = vi.fn(() => 1)
    await run({ ...operation, payload: { a: 1, b: [1, 2] } }, work)
    await run({ ...operation, payload: { b: [1, 2], a: 1 } }, work)
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('is other work in another scope, under another key, or in another namespace', async () => {
    const store = memoryStore()
    const work = vi.fn(() => 1)
    const { run } = createIdempotency({ store })
    await run(operation, work)
    await run({ ...operation, scope: 'other' }, work)
    await run({ ...operation, key: 'other' }, work)
    await createIdempotency({ store, namespace: 'other' }).run(operation, work)
    expect(work).toHaveBeenCalledTimes(4)
  })

  it('may use the layer itself, each with a record of its own', async () => {
    const { run } = scene()
    const inner = vi.fn(() => {
      throw new Error('inner')
    })
    const outer = vi.fn(async () => {
      const error = await run({ ...operation, key: 'inner' }, inner).catch(
        (error: Error) => error.message,
      )
      return `outer after ${error}`
    })
    expect(await run(operation, outer)).toBe('outer after inner')
    expect(await run(operation, outer)).toBe('outer after inner')
    expect(outer).toHaveBeenCalledTimes(1)
    await expect(run({ ...operation, key: 'inner' }, () => 'again')).resolves.toBe('again')
  })

  it('cannot wait for itself', async () => {
    const { run } = scene()
    await expect(run(operation, () => run(operation, () => 1))).rejects.toBeInstanceOf(
      InFlightError,
    )
  })
})

describe('work that throws', () => {
  it('throws on, unchanged, and runs again with a higher attempt and the same derived keys', async () => {
    const { run, heard } = scene()
    const seen: Execution[] = []
    const error = new Error('carrier down')
    const failing = (execution: Execution) => {
      seen.push(execution)
      throw error
    }
    await expect(run(operation, failing)).rejects.toBe(error)
    await expect(run(operation, failing)).rejects.toBe(error)
    await run(operation, (execution) => {
      seen.push(execution)
      return 1
    })
    expect(seen.map(({ attempt, after }) => [attempt, after])).toEqual([
      [1, 'nothing'],
      [2, 'failed'],
      [3, 'failed'],
    ])
    expect(new Set(seen.map(({ derivedKey }) => derivedKey('booking'))).size).toBe(1)
    expect(seen[0]?.derivedKey('booking')).toMatch(uuid)
    expect(seen[0]?.derivedKey('booking')).not.toBe(seen[0]?.derivedKey('refund'))
    expect(heard.names).toEqual([
      ...['acquired', 'failed'],
      ...['acquired', 'takeover', 'failed'],
      ...['acquired', 'takeover', 'completed'],
    ])
  })

  it('still has its payload to be compared with', async () => {
    const { run } = scene()
    await expect(run(operation, () => Promise.reject(new Error('a')))).rejects.toThrow('a')
    await expect(run({ ...operation, payload: 1 }, () => 1)).rejects.toMatchObject({
      code: 'key-reused',
    })
  })

  it('runs again as if for the first time where it has said release()', async () => {
    const { run } = scene()
    const attempts: number[] = []
    const work = ({ attempt, release }: Execution) => {
      attempts.push(attempt)
      release()
      throw new Error('a')
    }
    await expect(run(operation, work)).rejects.toThrow('a')
    await expect(run({ ...operation, payload: 'other' }, work)).rejects.toThrow('a')
    expect(attempts).toEqual([1, 1])
  })

  it('does not run again where it has said complete() or markEffects()', async () => {
    for (const say of ['complete', 'markEffects'] as const) {
      const { run } = scene()
      const work = vi.fn((execution: Execution) => {
        void execution[say]()
        throw new Error('a')
      })
      await expect(run(operation, work)).rejects.toThrow('a')
      await expect(run(operation, work)).rejects.toMatchObject({ code: 'response-not-stored' })
      expect(work).toHaveBeenCalledTimes(1)
    }
  })

  it('is decided by the last of complete(), fail() and release()', async () => {
    const { run } = scene()
    const work = vi.fn(({ complete, fail, release, markEffects }: Execution) => {
      void markEffects()
      complete()
      release()
      fail()
      throw new Error('a')
    })
    await expect(run(operation, work)).rejects.toThrow('a')
    await expect(run(operation, (execution) => execution.attempt)).resolves.toBe(2)
  })
})

describe('work that returns', () => {
  it('runs again where it has said fail() or release()', async () => {
    for (const [say, attempt] of [
      ['fail', 2],
      ['release', 1],
    ] as const) {
      const { run } = scene()
      await run(operation, (execution) => execution[say]())
      expect(await run(operation, (execution) => execution.attempt)).toBe(attempt)
    }
  })

  it('has run even where its value is no JSON, and says so to everyone', async () => {
    const { run } = scene()
    const work = vi.fn(() => 1n)
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'response-not-stored' })
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'response-not-stored' })
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('tells the first caller a value that is too large to keep, and runs no second time', async () => {
    const { run } = scene({ maxStoredBody: 100 })
    const work = vi.fn(() => 'a'.repeat(100))
    expect(await run(operation, work)).toHaveLength(100)
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'response-not-stored' })
    expect(work).toHaveBeenCalledTimes(1)
  })
})

describe('an operation that is wrong', () => {
  it.each([
    ['key-invalid', { ...operation, key: '' }],
    ['key-invalid', { ...operation, key: 1 }],
    ['key-invalid', { ...operation, key: 'a'.repeat(256) }],
    ['scope-missing', { ...operation, scope: '' }],
    ['scope-missing', { ...operation, scope: undefined }],
    ['body-too-large', { ...operation, payload: 'a'.repeat(1_048_577) }],
    ['option-invalid', { ...operation, payload: new Map() }],
  ])('is refused as %s before the store is asked', async (code, wrong) => {
    const { run, store } = scene()
    const work = vi.fn()
    const error = await run(wrong as typeof operation, work).catch((error: unknown) => error)
    expect(isIdempotencyError(error) && error.code).toBe(code)
    expect((error as Error).message).toMatch(/^idempotency: expected .+, got .+\. .+ https:/)
    expect(work).not.toHaveBeenCalled()
    expect(store.calls).toEqual([])
  })
})

describe('a store that cannot be asked', () => {
  it('keeps work from running', async () => {
    const { run, store, heard } = scene()
    const work = vi.fn()
    store.next('acquire', rejects, full, hangs)
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'store-full' })
    const hung = run(operation, work).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await hung).toBeInstanceOf(StoreError)
    expect(work).not.toHaveBeenCalled()
    expect(heard.names).toEqual(['store-down', 'store-full', 'store-down'])
  })

  it('lets work run without protection where that was chosen', async () => {
    const { run, store, heard } = scene({ onStoreDown: 'run-unprotected' })
    store.next('acquire', rejects)
    const seen: Execution[] = []
    expect(
      await run(operation, (execution) => {
        seen.push(execution)
        return 1
      }),
    ).toBe(1)
    expect(seen[0]?.protected).toBe(false)
    expect(heard.names).toEqual(['store-down', 'unprotected'])
  })

  it('keeps work from running without protection where it is only full', async () => {
    const { run, store } = scene({ onStoreDown: 'run-unprotected' })
    store.next('acquire', full)
    const work = vi.fn()
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'store-full' })
    expect(work).not.toHaveBeenCalled()
  })

  it.each([
    ['cannot read what it holds', { unreadable: true }],
    ['was closed', undefined],
  ])('keeps work from running without protection where it %s', async (_, unreadable) => {
    const { run, store, layer } = scene({ onStoreDown: 'run-unprotected' })
    if (unreadable === undefined) await layer.close()
    store.next('acquire', async () => {
      throw new StoreError('store-unavailable', 'corrupt', unreadable)
    })
    const work = vi.fn()
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(work).not.toHaveBeenCalled()
  })
})

describe('a record that cannot be read', () => {
  const record = { attempt: 1, token: 't', remainingMs: 1 }
  const fingerprint = '1:empty=a'

  it.each([
    [
      'of a future version',
      { ...record, fingerprint, state: 'completed', result: Uint8Array.of(2, 0, 0) },
    ],
    ['truncated', { ...record, fingerprint, state: 'completed', result: Uint8Array.of(1) }],
    [
      'of another algorithm',
      { ...record, fingerprint: '9:new=a', state: 'failed', inDoubt: false },
    ],
    [
      'without a fingerprint',
      { ...record, fingerprint: undefined, state: 'completed', result: Uint8Array.of(1) },
    ],
    ['that is nothing', undefined],
  ])('is refused and never run, also without protection: %s', async (_, standing) => {
    const { run, store } = scene({ onStoreDown: 'run-unprotected' })
    const work = vi.fn()
    store.always('acquire', async (forward) => {
      const claimed = (await forward()) as { kind: string }
      const known = claimed.kind === 'acquired' && standing?.fingerprint === fingerprint
      return {
        kind: 'exists',
        record: known ? { ...standing, fingerprint: lastFingerprint } : standing,
      }
    })
    let lastFingerprint = ''
    const acquire = store.acquire
    store.acquire = (claim) => {
      lastFingerprint = claim.fingerprint
      return acquire(claim)
    }
    await expect(run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(work).not.toHaveBeenCalled()
  })

  it('is not what a broken answer of the store stands for', async () => {
    const { run, store } = scene()
    store.next('acquire', answers(undefined))
    await expect(run(operation, vi.fn())).rejects.toMatchObject({ code: 'store-unavailable' })
  })
})

describe('what operators hear', () => {
  it('is the hash of a key and never the key or the payload', async () => {
    const { run, store, heard } = scene()
    const secret = { key: 'secret-key', scope: 's', payload: 'secret-payload' }
    store.next('complete', rejects)
    const first = run(secret, () => 'secret-value')
    await vi.advanceTimersByTimeAsync(100)
    await first
    await run(secret, () => 1)
    await run({ ...secret, payload: 'other' }, () => 1).catch(() => {})
    expect(heard.names).toEqual([
      'acquired',
      'completion-retried',
      'completed',
      'replayed',
      'mismatch',
    ])
    expect(JSON.stringify(heard.details)).not.toContain('secret')
    for (const detail of heard.details) {
      expect(detail).toMatchObject({
        keyHash: expect.stringMatching(/^[\w-]{43}$/),
        scope: 's',
        attempt: 1,
        durationMs: expect.any(Number),
      })
    }
  })

  it('changes nothing where a listener throws', async () => {
    const { run, layer } = scene()
    for (const name of ['acquired', 'completed', 'replayed'] as const) {
      layer.events.on(name, () => {
        throw new Error('a mistake')
      })
    }
    const work = vi.fn(() => 1)
    expect(await run(operation, work)).toBe(1)
    expect(await run(operation, work)).toBe(1)
    expect(work).toHaveBeenCalledTimes(1)
  })
})
