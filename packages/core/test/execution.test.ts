import { describe, expect, it, vi } from 'vitest'
import type { Execution } from '../src/execution.js'
import type { HeldAnswer } from '../src/http-execution.js'
import { createHttpIdempotency } from '../src/http-idempotency.js'
import type { CommonOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import { type Ending, transactionSide } from '../src/transaction.js'
import { useFakeClock } from './fake-clock.js'
import { answers, type FaultyStore, faultyStore, gate } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { type Given, given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const operation = { key: 'k', scope: 's', payload: 1 }
const leaseMs = 60_000
const attempt = (execution: Execution) => execution.attempt

/** What a store does that commits the ending with the effects. */
const committing = async (
  store: FaultyStore,
  execution: Execution,
  returned: unknown,
): Promise<Ending> => {
  const side = transactionSide(execution)
  side.begin()
  const ending = side.ending(returned)
  const lease = side.lease as NonNullable<typeof side.lease>
  if (ending.verb === 'complete') await store.complete(lease, ending)
  if (ending.verb === 'fail') await store.fail(lease, ending)
  if (ending.verb === 'release') await store.release(lease)
  side.committed(undefined)
  return ending
}

describe('work in a transaction', () => {
  const scene = (options: Partial<CommonOptions> = {}) => {
    const store = faultyStore()
    const layer = createIdempotency({ store, leaseMs, ...options })
    return { store, run: layer.run, heard: heardEvents(layer.events) }
  }

  it('is completed by its commit alone, with what the transaction’s work returned', async () => {
    const { run, store, heard } = scene()
    const work = vi.fn(async (execution: Execution) => {
      await committing(store, execution, { committed: true })
      return 'something else'
    })
    expect(await run(operation, work)).toEqual({ committed: true })
    expect(await run(operation, work)).toEqual({ committed: true })
    expect(work).toHaveBeenCalledTimes(1)
    expect(store.calls).toEqual(['acquire', 'complete', 'acquire'])
    expect(heard.names).toEqual(['acquired', 'completed', 'replayed'])
  })

  it('has happened where the rest of the work throws after the commit', async () => {
    const { run, store } = scene()
    const work = vi.fn(async (execution: Execution) => {
      await committing(store, execution, 1)
      throw new Error('afterwards')
    })
    await expect(run(operation, work)).rejects.toThrow('afterwards')
    expect(await run(operation, work)).toBe(1)
  })

  it('may commit a failure or a release that the handler has said', async () => {
    for (const [say, next] of [
      ['fail', 2],
      ['release', 1],
    ] as const) {
      const { run, store } = scene()
      await run(operation, async (execution) => {
        execution[say]()
        return (await committing(store, execution, 1)).verb
      })
      expect(await run(operation, attempt)).toBe(next)
    }
  })

  it('keeps that it has happened where its value is too large', async () => {
    const { run, store } = scene({ maxStoredBody: 100 })
    const large = 'a'.repeat(200)
    const first = await run(operation, async (execution) => {
      await committing(store, execution, large)
    })
    expect(first).toBe(large)
    await expect(run(operation, attempt)).rejects.toMatchObject({ code: 'response-not-stored' })
  })

  it('is no lost lease for a renewal that was on its way at the commit', async () => {
    const { run, store, heard } = scene()
    const late = gate()
    store.next('renew', late.call)
    let signal: AbortSignal | undefined
    await run(operation, async (execution) => {
      signal = execution.signal
      await vi.advanceTimersByTimeAsync(leaseMs / 3)
      await committing(store, execution, 1)
    })
    late.open()
    await vi.advanceTimersByTimeAsync(0)
    expect(heard.names).toEqual(['acquired', 'completed'])
    expect(signal?.aborted).toBe(false)
  })

  it('cannot begin once it has committed, nor where the lease is lost', async () => {
    const { run, store, heard } = scene()
    const first = await run(operation, async (execution) => {
      await committing(store, execution, 1)
      const side = transactionSide(execution)
      expect(() => side.begin()).toThrow(expect.objectContaining({ code: 'answer-missing' }))
      for (const reason of ['failed', 'stale', 'gone', 'busy'] as const) side.rolledBack(reason)
      expect(execution.signal.aborted).toBe(false)
      return 'something else'
    })
    // The first stands, and nothing was lost.
    expect(first).toBe(1)
    expect(store.calls).toEqual(['acquire', 'complete'])
    expect(heard.names).toEqual(['acquired', 'completed'])
    const other = scene()
    other.store.next('renew', answers('stale'))
    const answer = other.run(operation, async (execution) => {
      await execution.markEffects().catch(() => {})
      transactionSide(execution).begin()
    })
    await expect(answer).rejects.toMatchObject({ code: 'lease-lost' })
  })

  it('that was rolled back is as if it had not been, and may be tried again', async () => {
    const { run, store } = scene()
    const value = await run(operation, async (execution) => {
      const side = transactionSide(execution)
      side.begin()
      side.ending('dropped')
      side.rolledBack('failed')
      side.begin()
      side.rolledBack('busy')
      return 'the work’s own'
    })
    expect(value).toBe('the work’s own')
    expect(await run(operation, attempt)).toBe('the work’s own')
    expect(store.calls).toEqual(['acquire', 'complete', 'acquire'])
  })

  it('that was rolled back since another holds the key answers what stands', async () => {
    const { run, heard } = scene()
    const answer = run(operation, (execution) => {
      const side = transactionSide(execution)
      side.begin()
      side.rolledBack('stale')
      expect(execution.signal.aborted).toBe(true)
      return 'dropped'
    })
    await expect(answer).rejects.toMatchObject({ code: 'request-in-flight' })
    expect(heard.names).toEqual(['acquired', 'lease-lost'])
  })

  it('that was rolled back since its record is gone is no success, even where the work says so', async () => {
    const { run, store } = scene()
    const answer = run(operation, (execution) => {
      const side = transactionSide(execution)
      side.begin()
      side.rolledBack('gone')
      return 'dropped'
    })
    await expect(answer).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(store.calls.filter((verb) => verb !== 'read')).toEqual(['acquire'])
  })

  it('is refused where it is handed something else than an execution', () => {
    for (const wrong of [undefined, null, {}, 'req']) {
      expect(() => transactionSide(wrong as object)).toThrow(
        expect.objectContaining({ code: 'option-invalid' }),
      )
    }
  })
})

describe('an answer in a transaction', () => {
  const scene = async (request: Given = { key: 'k' }) => {
    const store = faultyStore()
    const layer = createHttpIdempotency<Native>({ store, scope: 'global', leaseMs })
    const begun = await layer.begin(incoming(request))
    let answer: ReturnType<HeldAnswer['given']>
    const held = {
      hold: vi.fn(),
      given: () => answer,
      letGo: vi.fn(),
      restore: vi.fn(() => {
        answer = undefined
      }),
    } satisfies HeldAnswer
    begun.http.lend(held)
    return {
      store,
      held,
      http: begun.http,
      execution: begun.http.execution,
      side: transactionSide(begun.http.execution),
      answerWith: (status: number) => {
        answer = given(status, 'answer')
      },
      again: () => layer.begin(incoming(request)),
    }
  }

  it('is held from its begin until its commit, and kept whatever its status', async () => {
    const { store, held, http, execution, answerWith, again, side } = await scene()
    side.begin()
    expect(held.hold).toHaveBeenCalledTimes(1)
    answerWith(500)
    const ending = side.ending(undefined)
    expect(ending.verb).toBe('complete')
    expect(held.letGo).not.toHaveBeenCalled()
    await store.complete(side.lease as never, ending as never)
    side.committed(undefined)
    expect(held.letGo).toHaveBeenCalledTimes(1)
    expect(execution.signal.aborted).toBe(false)
    expect(await http.finish(given(500, 'answer'))).toBeUndefined()
    expect(store.calls).toEqual(['acquire', 'complete'])
    expect(await again()).toMatchObject({ kind: 'reply', reply: { status: 500 } })
  })

  it('that is missing when the work returns rolls everything back', async () => {
    const { held, http, side, again } = await scene()
    side.begin()
    expect(() => side.ending(undefined)).toThrow(
      expect.objectContaining({ code: 'answer-missing' }),
    )
    side.rolledBack('failed')
    expect(held.restore).toHaveBeenCalledTimes(1)
    await http.finish(given(500))
    expect((await again()).http.execution.attempt).toBe(2)
  })

  it('is 503 where its record is gone or the database was busy', async () => {
    for (const reason of ['gone', 'busy'] as const) {
      const { http, side, held } = await scene()
      side.begin()
      side.rolledBack(reason)
      expect(held.restore).toHaveBeenCalledTimes(1)
      const instead = await http.finish(given(500))
      expect(instead?.status).toBe(503)
      expect(Buffer.from(instead?.body ?? '').toString()).toContain('store-unavailable')
    }
  })

  it('is the other’s where another holds the key', async () => {
    const { http, side } = await scene()
    side.begin()
    side.rolledBack('stale')
    expect((await http.finish(given(500)))?.status).toBe(409)
  })

  it('is only held where nothing is protected: no ending is written', async () => {
    const { store, held, side, answerWith } = await scene({})
    expect(side.lease).toBeUndefined()
    side.begin()
    answerWith(201)
    side.committed(undefined)
    expect(held.hold).toHaveBeenCalledTimes(1)
    expect(held.letGo).toHaveBeenCalledTimes(1)
    expect(store.calls).toEqual([])
  })
})
