import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import type { Execution } from '../src/execution.js'
import type { RunOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import { useFakeClock } from './fake-clock.js'
import {
  answerHangs,
  answerLost,
  type Fault,
  faultyStore,
  gate,
  hangs,
  rejects,
} from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const operation = { key: 'k', scope: 's', payload: 1 }
const leaseMs = 60_000
const storeTimeoutMs = 2_000

const scene = (options: Partial<RunOptions> = {}) => {
  const inner = memoryStore()
  const store = faultyStore(inner)
  const layer = createIdempotency({ store, leaseMs, storeTimeoutMs, ...options })
  return { inner, store, layer, run: layer.run, heard: heardEvents(layer.events) }
}
const attempt = (execution: Execution) => execution.attempt

describe('a claim that was given up', () => {
  it('is released when the store answers late, so that the next does not wait for its lease', async () => {
    const { run, store } = scene()
    const late = gate()
    store.next('acquire', late.answer)
    const hung = run(operation, attempt).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(storeTimeoutMs)
    expect(await hung).toMatchObject({ code: 'store-unavailable' })
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    late.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(store.calls).toEqual(['acquire', 'acquire', 'release'])
    expect(store.tokens[2]).toBe(store.tokens[0])
    expect(await run(operation, attempt)).toBe(1)
  })

  it('is released when it arrives late at the store', async () => {
    const { run, store } = scene()
    const late = gate()
    store.next('acquire', late.call)
    const hung = run(operation, attempt).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(storeTimeoutMs)
    await hung
    late.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(await run(operation, attempt)).toBe(1)
  })

  it('changes nothing where another has come before it', async () => {
    const { run, store } = scene()
    const late = gate()
    store.next('acquire', late.call)
    const hung = run(operation, attempt).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(storeTimeoutMs)
    await hung
    expect(await run(operation, () => 'another')).toBe('another')
    late.open()
    await vi.advanceTimersByTimeAsync(leaseMs)
    expect(await run(operation, attempt)).toBe('another')
    expect(store.calls.filter((verb) => verb === 'release' || verb === 'fail')).toEqual([])
  })

  it('is released when the store rejects after it has landed', async () => {
    const { run, store } = scene()
    store.next('acquire', answerLost)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'store-unavailable' })
    await vi.advanceTimersByTimeAsync(0)
    expect(await run(operation, attempt)).toBe(1)
  })

  it('is undone where its call was cut off and arrives later', async () => {
    const { run, store } = scene()
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    store.next('acquire', async (forward) => {
      void arrived.then(forward)
      throw new Error('connection reset')
    })
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'store-unavailable' })
    await vi.advanceTimersByTimeAsync(500)
    arrive()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await run(operation, attempt)).toBe(1)
  })

  it('is undone again and again while the store fails', async () => {
    const { run, store } = scene()
    store.next('acquire', answerLost)
    store.next('read', rejects, hangs)
    store.next('release', rejects, answerLost)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await run(operation, attempt)).toBe(1)
  })

  it('is bounded by its lease where it cannot be undone', async () => {
    const { run, store } = scene()
    store.next('acquire', answerHangs)
    const hung = run(operation, attempt).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(storeTimeoutMs)
    await hung
    await vi.advanceTimersByTimeAsync(leaseMs - storeTimeoutMs - 1)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    await vi.advanceTimersByTimeAsync(1)
    expect(await run(operation, attempt)).toBe(2)
  })

  it('does not make an earlier attempt forgotten', async () => {
    for (const fault of [answerLost, answerHangs] satisfies Fault[]) {
      const { run, store } = scene()
      await run(operation, () => Promise.reject(new Error('a'))).catch(() => {})
      const late = gate()
      store.next('acquire', fault === answerLost ? answerLost : late.answer)
      const hung = run(operation, attempt).catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(storeTimeoutMs)
      expect(await hung).toMatchObject({ code: 'store-unavailable' })
      late.open()
      await vi.advanceTimersByTimeAsync(100)
      expect(await run(operation, attempt)).toBe(3)
    }
  })

  it('makes no doubt of a key that nobody has run', async () => {
    const { run, store } = scene({ onDoubt: 'reject' })
    store.next('acquire', answerLost)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'store-unavailable' })
    await vi.advanceTimersByTimeAsync(100)
    expect(await run(operation, attempt)).toBe(1)
  })
})

describe('a claim in doubt', () => {
  it('runs again by default, as a further attempt after an abandoned one', async () => {
    const { run, inner } = scene()
    const crashed = createIdempotency({ store: faultyStoreThatDies(inner), leaseMs })
    void crashed.run(operation, () => new Promise(() => {}))
    await vi.advanceTimersByTimeAsync(leaseMs - 1)
    await expect(run(operation, attempt)).rejects.toMatchObject({ retryAfterMs: 1 })
    await vi.advanceTimersByTimeAsync(1)
    expect(await run(operation, ({ attempt, after }) => [attempt, after])).toEqual([2, 'abandoned'])
  })

  it('is refused under onDoubt: reject, and kept for as long as somebody may need to find out', async () => {
    const { run, inner, heard } = scene({
      onDoubt: 'reject',
      retentionMs: 1_000,
      doubtRetentionMs: 100_000,
    })
    const crashed = createIdempotency({
      store: faultyStoreThatDies(inner),
      leaseMs,
      onDoubt: 'reject',
      retentionMs: 1_000,
      doubtRetentionMs: 100_000,
    })
    void crashed.run(operation, () => new Promise(() => {}))
    await vi.advanceTimersByTimeAsync(99_999)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'outcome-unknown' })
    expect(heard.names).toEqual(['doubt'])
    await vi.advanceTimersByTimeAsync(1)
    expect(await run(operation, attempt)).toBe(1)
  })

  it('is refused under onDoubt: reject after work that threw', async () => {
    const { run } = scene({ onDoubt: 'reject', retentionMs: 1_000, doubtRetentionMs: 100_000 })
    await run(operation, () => Promise.reject(new Error('a'))).catch(() => {})
    await vi.advanceTimersByTimeAsync(99_999)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'outcome-unknown' })
    await vi.advanceTimersByTimeAsync(1)
    expect(await run(operation, attempt)).toBe(1)
  })

  it('is none where the work has said fail() or release() before it threw', async () => {
    for (const [say, next] of [
      ['fail', 2],
      ['release', 1],
    ] as const) {
      const { run } = scene({ onDoubt: 'reject' })
      const work = (execution: Execution) => {
        execution[say]()
        throw new Error('a')
      }
      await expect(run(operation, work)).rejects.toThrow('a')
      expect(await run(operation, attempt)).toBe(next)
    }
  })

  it('is a mismatch first, for whoever comes with another payload', async () => {
    const { run } = scene({ onDoubt: 'reject' })
    await run(operation, () => Promise.reject(new Error('a'))).catch(() => {})
    await expect(run({ ...operation, payload: 2 }, attempt)).rejects.toMatchObject({
      code: 'key-reused',
    })
  })
})

describe('a record', () => {
  it('is replayed for as long as its result is retained, and no replay prolongs that', async () => {
    const { run } = scene({ retentionMs: 10_000 })
    await run(operation, () => 'first')
    for (let at = 0; at < 9_000; at += 1_000) {
      await vi.advanceTimersByTimeAsync(1_000)
      expect(await run(operation, () => 'second')).toBe('first')
    }
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await run(operation, () => 'second')).toBe('second')
  })

  it('keeps its attempt for as long as a failure is retained', async () => {
    const { run } = scene({ retentionMs: 10_000 })
    await run(operation, () => Promise.reject(new Error('a'))).catch(() => {})
    await vi.advanceTimersByTimeAsync(9_999)
    await run(operation, () => Promise.reject(new Error('a'))).catch(() => {})
    await vi.advanceTimersByTimeAsync(9_999)
    expect(await run(operation, attempt)).toBe(3)
  })

  it('may be retained for less time than its lease', async () => {
    const { run } = scene({ retentionMs: 1 })
    let end = (_: number): void => {}
    const first = run(operation, () => new Promise<number>((resolve) => (end = resolve)))
    await vi.advanceTimersByTimeAsync(3 * leaseMs)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    end(7)
    expect(await first).toBe(7)
  })

  it('can be purged by hand', async () => {
    const { run, layer } = scene({ retentionMs: 500 })
    await run(operation, attempt)
    expect(await layer.purgeExpired()).toBe(0)
    await vi.advanceTimersByTimeAsync(500)
    expect(await layer.purgeExpired()).toBe(1)
  })
})

/** The store of a process that dies after its claim: nothing of what it writes later arrives. */
const faultyStoreThatDies = (inner: ReturnType<typeof memoryStore>) => {
  const store = faultyStore(inner)
  for (const verb of ['renew', 'complete', 'fail', 'release', 'read'] as const)
    store.always(verb, hangs)
  return store
}
