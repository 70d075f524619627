import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import type { Execution } from '../src/execution.js'
import type { CommonOptions } from '../src/options.js'
import { recordKeyOf } from '../src/record-key.js'
import { createIdempotency } from '../src/run.js'
import { useFakeClock } from './fake-clock.js'
import {
  answerHangs,
  answerLost,
  answers,
  faultyStore,
  full,
  gate,
  hangs,
  rejects,
} from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const operation = { key: 'k', scope: 's', payload: 1 }
const recordKey = recordKeyOf({
  namespace: '',
  kind: 'run',
  scope: { kind: 'of', name: 's' },
  key: 'k',
})
const leaseMs = 60_000
const storeTimeoutMs = 2_000

const scene = (options: Partial<CommonOptions> = {}) => {
  const inner = memoryStore()
  const store = faultyStore(inner)
  const layer = createIdempotency({ store, leaseMs, storeTimeoutMs, ...options })
  const other = createIdempotency({ store: inner, leaseMs, storeTimeoutMs, ...options })
  return { inner, store, run: layer.run, heard: heardEvents(layer.events), otherRun: other.run }
}
const attempt = (execution: Execution) => execution.attempt

/** Work that is held until the test ends it, with the execution that it was given. */
const begun = (run: ReturnType<typeof createIdempotency>['run']) => {
  let end = (_: unknown): void => {}
  let fail = (_: Error): void => {}
  const executions: Execution[] = []
  const answer = run(operation, (execution) => {
    executions.push(execution)
    return new Promise<unknown>((resolve, reject) => {
      end = resolve
      fail = reject
    })
  })
  answer.catch(() => {})
  return {
    answer,
    executions,
    execution: async (): Promise<Execution> => {
      await vi.advanceTimersByTimeAsync(0)
      return executions[0] as Execution
    },
    end: (value: unknown) => end(value),
    fail: (error: Error) => fail(error),
  }
}

describe('a lease', () => {
  it('is kept alive while the work runs, however long', async () => {
    const { run, otherRun, store, heard } = scene()
    const first = begun(run)
    for (let minute = 0; minute < 10; minute++) {
      await vi.advanceTimersByTimeAsync(60_000)
      await expect(otherRun(operation, attempt)).rejects.toMatchObject({
        code: 'request-in-flight',
      })
    }
    expect(store.calls.filter((verb) => verb === 'renew').length).toBeGreaterThanOrEqual(29)
    first.end('done')
    expect(await first.answer).toBe('done')
    expect(heard.names).toEqual(['acquired', 'completed'])
    const calls = store.calls.length
    await vi.advanceTimersByTimeAsync(10 * leaseMs)
    expect(store.calls.length).toBe(calls)
  })

  it('is renewed again soon where a renewal fails', async () => {
    const { run, otherRun, store, heard } = scene()
    const first = begun(run)
    store.next('renew', rejects, hangs, answerLost, rejects)
    await vi.advanceTimersByTimeAsync(3 * leaseMs)
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    expect(heard.names.filter((name) => name === 'store-down')).toHaveLength(4)
    first.end(1)
    expect(await first.answer).toBe(1)
  })

  it('is renewed no more after maxRunMs: the signal aborts, and another may run', async () => {
    const { run, otherRun, heard } = scene({ maxRunMs: 100_000 })
    const first = begun(run)
    const { signal } = await first.execution()
    await vi.advanceTimersByTimeAsync(99_999)
    expect(signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({ code: 'lease-lost' })
    expect(heard.names).toEqual(['acquired', 'run-limit'])
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    await vi.advanceTimersByTimeAsync(leaseMs)
    expect(await otherRun(operation, attempt)).toBe(2)
  })

  it('is never renewed where maxRunMs is shorter than a third of it', async () => {
    const { run, store, heard } = scene({ maxRunMs: 10_000 })
    begun(run)
    await vi.advanceTimersByTimeAsync(10 * leaseMs)
    expect(store.calls).toEqual(['acquire'])
    expect(heard.names).toEqual(['acquired', 'run-limit'])
  })

  it('that ran past maxRunMs still completes where nobody has taken over', async () => {
    const { run, otherRun } = scene({ maxRunMs: 10_000 })
    const first = begun(run)
    await vi.advanceTimersByTimeAsync(10_001)
    first.end('late')
    expect(await first.answer).toBe('late')
    expect(await otherRun(operation, attempt)).toBe('late')
  })

  it('lasts for days, though no timer of Node does', async () => {
    const days = 24 * 3_600_000
    const { run, store } = scene({ leaseMs: 90 * days, maxRunMs: 400 * days })
    // Nothing is kept, so that nothing is purged: a second of 200 days would be a long test.
    store.always('acquire', answers({ kind: 'acquired', attempt: 1, after: 'nothing' }))
    store.always('renew', answers('ok'))
    store.always('complete', answers('ok'))
    const first = begun(run)
    await vi.advanceTimersByTimeAsync(20 * days)
    expect(store.calls).toEqual(['acquire'])
    await vi.advanceTimersByTimeAsync(200 * days)
    const { signal } = await first.execution()
    expect(signal.aborted).toBe(false)
    first.end(1)
    expect(await first.answer).toBe(1)
  })
})

describe('a lost lease', () => {
  /** A standstill: nothing of the first holder arrives until its lease is over. */
  const stoodStill = async (options: Partial<CommonOptions> = {}) => {
    const made = scene(options)
    const first = begun(made.run)
    await first.execution()
    made.store.always('renew', hangs)
    await vi.advanceTimersByTimeAsync(leaseMs)
    return { ...made, first }
  }

  it('aborts the signal, drops the result, and answers what stands', async () => {
    const { first, otherRun, store, heard } = await stoodStill()
    expect(await otherRun(operation, () => 'second')).toBe('second')
    store.always('renew', undefined)
    await vi.advanceTimersByTimeAsync(leaseMs)
    const { signal } = await first.execution()
    expect(signal.aborted).toBe(true)
    expect(heard.names.filter((name) => name === 'lease-lost')).toHaveLength(1)
    first.end('first')
    expect(await first.answer).toBe('second')
    expect(await otherRun(operation, attempt)).toBe('second')
  })

  it('is found out at the completion where no renewal came before', async () => {
    const { first, otherRun, heard } = await stoodStill()
    expect(await otherRun(operation, () => 'second')).toBe('second')
    first.end('first')
    expect(await first.answer).toBe('second')
    expect(heard.names).toContain('lease-lost')
    expect(await otherRun(operation, attempt)).toBe('second')
  })

  it('is told as in flight while the other is still running', async () => {
    const { first, otherRun } = await stoodStill()
    const second = begun(otherRun)
    await second.execution()
    first.end('first')
    await expect(first.answer).rejects.toMatchObject({ code: 'request-in-flight' })
    second.end('second')
    expect(await second.answer).toBe('second')
  })

  it('never answers other work that has the key since the record was lost', async () => {
    const { run, otherRun, store, heard } = scene()
    const first = begun(run)
    await first.execution()
    await store.release({ recordKey, token: store.tokens[0] as string })
    const other = { ...operation, payload: 2 }
    expect(await otherRun(other, () => 'of another')).toBe('of another')
    first.end('first')
    await expect(first.answer).rejects.toMatchObject({ code: 'request-in-flight' })
    expect(heard.names).toEqual(['acquired', 'lease-lost'])
    expect(await otherRun(other, attempt)).toBe('of another')
  })

  it('leaves the work’s own error as it is, and the other’s record too', async () => {
    const { first, otherRun } = await stoodStill()
    expect(await otherRun(operation, () => 'second')).toBe('second')
    first.fail(new Error('first'))
    await expect(first.answer).rejects.toThrow('first')
    expect(await otherRun(operation, attempt)).toBe('second')
  })

  it('is not what a renewal says that arrives after the completion', async () => {
    const { run, otherRun, store, heard } = scene()
    const first = begun(run)
    const late = gate()
    store.next('renew', late.call)
    await vi.advanceTimersByTimeAsync(leaseMs / 3)
    first.end('first')
    expect(await first.answer).toBe('first')
    late.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(heard.names).toEqual(['acquired', 'completed'])
    expect((await first.execution()).signal.aborted).toBe(false)
    expect(await otherRun(operation, attempt)).toBe('first')
  })

  it('is not what a renewal says while the completion is on its way', async () => {
    const { run, store, heard } = scene()
    const first = begun(run)
    const [renewal, completion] = [gate(), gate()]
    store.next('renew', renewal.call)
    store.next('complete', completion.answer)
    await vi.advanceTimersByTimeAsync(leaseMs / 3)
    first.end('first')
    await vi.advanceTimersByTimeAsync(0)
    renewal.open()
    await vi.advanceTimersByTimeAsync(0)
    completion.open()
    expect(await first.answer).toBe('first')
    expect(heard.names).toEqual(['acquired', 'completed'])
  })

  it('is not made good again by a renewal that arrives after a release', async () => {
    const { run, otherRun, store, inner } = scene()
    const first = begun(run)
    const late = gate()
    store.next('renew', late.call)
    await vi.advanceTimersByTimeAsync(leaseMs / 3)
    ;(await first.execution()).release()
    first.end('first')
    await first.answer
    late.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(store.calls.filter((verb) => verb === 'acquire')).toHaveLength(1)
    expect(await inner.purgeExpired(1)).toBe(0)
    expect(await otherRun(operation, attempt)).toBe(1)
  })
})

describe('a record that the store has lost', () => {
  /** As after a restart of a store without durability. */
  const lost = async (options: Partial<CommonOptions> = {}) => {
    const made = scene(options)
    const first = begun(made.run)
    await first.execution()
    const { recordKey, token } = await leaseOf(made)
    await made.inner.release({ recordKey, token })
    return { ...made, first, recordKey, token }
  }
  const leaseOf = async ({ store, heard }: ReturnType<typeof scene>) => {
    const [detail] = heard.details as [{ keyHash: string }]
    return { recordKey: detail.keyHash, token: store.tokens[0] as string }
  }

  it('is claimed again under the same token at a renewal', async () => {
    const { first, otherRun, store, inner, recordKey, token } = await lost()
    await vi.advanceTimersByTimeAsync(leaseMs / 3)
    expect((await inner.read(recordKey))?.token).toBe(token)
    expect(store.calls).toEqual(['acquire', 'renew', 'acquire'])
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    first.end('first')
    expect(await first.answer).toBe('first')
    expect(await otherRun(operation, attempt)).toBe('first')
  })

  it('is claimed again at its completion, and written', async () => {
    const { first, otherRun, store } = await lost()
    first.end('first')
    expect(await first.answer).toBe('first')
    expect(store.calls).toEqual(['acquire', 'complete', 'acquire', 'complete'])
    expect(new Set(store.tokens).size).toBe(1)
    expect(await otherRun(operation, attempt)).toBe('first')
  })

  it('is claimed again at its failure, and written', async () => {
    const { first, otherRun } = await lost()
    first.fail(new Error('first'))
    await expect(first.answer).rejects.toThrow('first')
    expect(await otherRun(operation, attempt)).toBe(2)
  })

  it('needs no claim where it is to be released', async () => {
    const { first, store, heard } = await lost()
    ;(await first.execution()).release()
    first.end('first')
    expect(await first.answer).toBe('first')
    expect(store.calls).toEqual(['acquire', 'release'])
    expect(heard.names).toEqual(['acquired', 'released'])
  })

  it('is the other’s where somebody has claimed it since', async () => {
    const { first, otherRun, heard } = await lost()
    expect(await otherRun(operation, () => 'second')).toBe('second')
    first.end('first')
    expect(await first.answer).toBe('second')
    expect(heard.names).toContain('lease-lost')
  })

  it('is the other’s also where that one has failed since: its attempt counts, ours is dropped', async () => {
    for (const found of ['completion', 'renewal'] as const) {
      const { first, otherRun, heard, store, inner, recordKey } = await lost()
      const { signal } = await first.execution()
      const late = gate()
      store.next('acquire', late.call)
      if (found === 'completion') first.end('first')
      await vi.advanceTimersByTimeAsync(found === 'renewal' ? leaseMs / 3 : 0)
      await otherRun(operation, () => Promise.reject(new Error('second'))).catch(() => {})
      late.open()
      await vi.advanceTimersByTimeAsync(0)
      expect(signal.aborted).toBe(true)
      first.end('first')
      await expect(first.answer).rejects.toMatchObject({ code: 'request-in-flight' })
      expect(heard.names.filter((name) => name === 'lease-lost')).toHaveLength(1)
      expect(await inner.read(recordKey)).toMatchObject({ state: 'failed', inDoubt: false })
      expect(await otherRun(operation, attempt)).toBe(3)
    }
  })

  it('keeps the mark of its effects when it is claimed again', async () => {
    const { first, inner, recordKey } = await lost()
    const { markEffects } = await first.execution()
    await markEffects()
    expect(await inner.read(recordKey)).toMatchObject({ progress: Uint8Array.of(1, 1) })
  })

  it('does not make the completion try for ever where the store loses it each time', async () => {
    const { run, store } = scene({ maxRunMs: 5_000 })
    const first = begun(run)
    await first.execution()
    store.always('complete', answers('gone'))
    store.always('acquire', answers({ kind: 'acquired', attempt: 1, after: 'nothing' }))
    first.end('first')
    await vi.advanceTimersByTimeAsync(storeTimeoutMs)
    expect(await first.answer).toBe('first')
    await vi.advanceTimersByTimeAsync(10_000)
    const calls = store.calls.length
    expect(calls).toBeLessThan(100)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(store.calls.length).toBe(calls)
  })
})

describe('a store that fails at the ending', () => {
  it('is tried again, and the caller gets the true answer', async () => {
    for (const fault of [rejects, answerLost, hangs, answerHangs]) {
      const { run, otherRun, store, heard } = scene({ storeTimeoutMs: 1_000 })
      store.next('complete', fault)
      const answer = run(operation, () => 'true')
      await vi.advanceTimersByTimeAsync(1_100)
      expect(await answer).toBe('true')
      expect(heard.names).toEqual(['acquired', 'completion-retried', 'completed'])
      expect(await otherRun(operation, attempt)).toBe('true')
    }
  })

  it('holds the answer for storeTimeoutMs at most, and goes on trying after that', async () => {
    const { run, otherRun, store, heard } = scene()
    store.always('complete', rejects)
    let answered = false
    const answer = run(operation, () => 'true').finally(() => {
      answered = true
    })
    await vi.advanceTimersByTimeAsync(storeTimeoutMs - 1)
    expect(answered).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await answer).toBe('true')
    await vi.advanceTimersByTimeAsync(5 * leaseMs)
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({ code: 'request-in-flight' })
    expect(store.calls).toContain('renew')
    store.always('complete', undefined)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(heard.names.at(-1)).toBe('completed')
    expect(await otherRun(operation, attempt)).toBe('true')
  })

  it('is tried at the longest until maxRunMs, and that is told', async () => {
    const { run, store, heard } = scene({ maxRunMs: 100_000 })
    store.always('complete', rejects)
    const answer = run(operation, () => 'true')
    await vi.advanceTimersByTimeAsync(102_000)
    expect(await answer).toBe('true')
    expect(heard.names).toContain('completion-given-up')
    const calls = store.calls.length
    await vi.advanceTimersByTimeAsync(10 * leaseMs)
    expect(store.calls.length).toBe(calls)
  })

  it('is tried again for a failure and a release alike', async () => {
    for (const [verb, next] of [
      ['fail', 2],
      ['release', 1],
    ] as const) {
      const { run, otherRun, store, heard } = scene()
      store.next(verb, rejects, answerLost)
      const answer = run(operation, (execution) => {
        execution[verb]()
        throw new Error('own')
      }).catch((error: Error) => error.message)
      await vi.advanceTimersByTimeAsync(100)
      expect(await answer).toBe('own')
      expect(heard.names.filter((name) => name === 'completion-retried')).toHaveLength(2)
      expect(await otherRun(operation, attempt)).toBe(next)
    }
  })

  it('keeps that it has happened where it has no room for the whole', async () => {
    const { run, otherRun, store, heard } = scene()
    store.next('complete', full)
    expect(await run(operation, () => 'true')).toBe('true')
    expect(heard.names).toEqual(['acquired', 'store-full', 'completed'])
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({
      code: 'response-not-stored',
    })
  })

  it('is tried again where it has no room even for that', async () => {
    const { run, otherRun, store } = scene()
    store.next('complete', full, full, full)
    const answer = run(operation, () => 'true')
    await vi.advanceTimersByTimeAsync(200)
    expect(await answer).toBe('true')
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({
      code: 'response-not-stored',
    })
  })
})

describe('effects that were marked', () => {
  it('are remembered over a crash', async () => {
    const { run, otherRun, store } = scene()
    const first = begun(run)
    await (await first.execution()).markEffects()
    for (const verb of ['renew', 'complete', 'fail'] as const) store.always(verb, hangs)
    await vi.advanceTimersByTimeAsync(leaseMs)
    const failing = otherRun(operation, () => Promise.reject(new Error('second')))
    await expect(failing).rejects.toThrow('second')
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({
      code: 'response-not-stored',
    })
  })

  it('are stored with the next renewal where the store fails', async () => {
    const { run, otherRun, store } = scene()
    const first = begun(run)
    store.next('renew', rejects)
    await expect((await first.execution()).markEffects()).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    await vi.advanceTimersByTimeAsync(leaseMs / 3)
    for (const verb of ['renew', 'complete', 'fail'] as const) store.always(verb, hangs)
    await vi.advanceTimersByTimeAsync(leaseMs)
    await otherRun(operation, () => Promise.reject(new Error('second'))).catch(() => {})
    await expect(otherRun(operation, attempt)).rejects.toMatchObject({
      code: 'response-not-stored',
    })
  })

  it('harm nobody who does not wait for them', async () => {
    const { run, store } = scene()
    store.always('renew', rejects)
    expect(
      await run(operation, ({ markEffects }) => {
        void markEffects()
        return 1
      }),
    ).toBe(1)
  })

  it('cannot be marked where the lease is lost', async () => {
    const { run, store, heard } = scene()
    const first = begun(run)
    store.next('renew', answers('stale'))
    const execution = await first.execution()
    await expect(execution.markEffects()).rejects.toMatchObject({ code: 'lease-lost' })
    expect(execution.signal.aborted).toBe(true)
    expect(heard.names).toEqual(['acquired', 'lease-lost'])
  })
})
