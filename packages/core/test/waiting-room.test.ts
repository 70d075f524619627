import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import { answer } from '../src/answer.js'
import type { Begun } from '../src/http-idempotency.js'
import type { IdempotencyOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import type { IdempotencyStore } from '../src/store.js'
import { useFakeClock } from './fake-clock.js'
import { answers, type Fault, faultyStore, gate, hangs, rejects } from './faulty-store.js'
import { executed, httpScene, problemOf, recordKey, told } from './http-scene.js'
import { given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const waitMs = 10_000
type Changed = NonNullable<IdempotencyStore['changed']>

/** A scene whose store announces changes in a way of its own. */
const scene = (changed?: Changed, options: Partial<IdempotencyOptions<Native>> = {}) => {
  const inner = memoryStore()
  const faulty = faultyStore(inner)
  const store = changed ? { ...faulty, changed } : faulty
  const here = httpScene({ onInFlight: { waitMs }, ...options, store })
  return { ...here, inner, store: faulty, reads: () => count(faulty.calls, 'read') }
}
/** The same with the announcements of the memory store. */
const announcing = (options: Partial<IdempotencyOptions<Native>> = {}) => {
  const waited: AbortSignal[] = []
  const here = scene((key, signal) => {
    waited.push(signal)
    return here.inner.changed(key, signal)
  }, options)
  return { ...here, waited }
}
const count = <T>(all: readonly T[], one: T): number => all.filter((other) => other === one).length

/** A request whose client goes away when it is told to. */
const leaving = (layer: ReturnType<typeof httpScene>['layer']) => {
  let leave = (): void => {}
  const stopped = vi.fn()
  const request = {
    ...incoming({ key: 'k' }),
    whenGone: (listener: () => void) => {
      leave = listener
      return stopped
    },
  }
  return { asked: layer.begin(request), leave: () => leave(), stopped }
}
const asking = (here: { ask(): Promise<Begun> }, number: number): Promise<Begun>[] =>
  Array.from({ length: number }, () => here.ask())

const ways: [string, Changed | undefined, most: number][] = [
  ['that announces nothing', undefined, 15],
  ['that announces for ever', async () => {}, 205],
  ['whose announcements are lost', () => new Promise(() => {}), 15],
  ['whose announcements fail', () => Promise.reject(new Error('connection lost')), 15],
  [
    'whose announcements throw',
    () => {
      throw new Error('connection lost')
    },
    15,
  ],
]

describe.each(ways)('a store %s', (_, changed, most) => {
  it('is looked at as often for a thousand as for one, and each gets the answer in time', async () => {
    const looks: number[] = []
    for (const waiters of [1, 1_000]) {
      const here = scene(changed)
      const first = executed(await here.ask())
      const waiting = asking(here, waiters)
      await vi.advanceTimersByTimeAsync(4_000)
      await first.finish(given(201, 'made'))
      await vi.advanceTimersByTimeAsync(500)
      expect(new Set((await Promise.all(waiting)).map(told))).toEqual(new Set(['201 again made']))
      expect(count(here.heard.names, 'acquired')).toBe(1)
      looks.push(here.reads())
    }
    expect(looks[1]).toBe(looks[0])
    expect(looks[0]).toBeLessThanOrEqual(most)
  })

  it.each<[string, Fault]>([
    ['fails', rejects],
    ['hangs', hangs],
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
  ])('and %s when it is looked at refuses in time, and is no reason to run', async (_, fault) => {
    const here = scene(changed, { onStoreDown: 'run-unprotected' })
    await here.ask()
    const waiting = asking(here, 100)
    here.store.always('read', fault)
    await vi.advanceTimersByTimeAsync(waitMs)
    const all = await Promise.all(waiting)
    expect(new Set(all.map((begun) => problemOf(begun).code))).toEqual(
      new Set(['request-in-flight']),
    )
    expect(here.reads()).toBeLessThanOrEqual(2 * most)
  })
})

describe('a store that announces changes', () => {
  it('is looked at no more often than it changes, and its waiters are told at once', async () => {
    const here = announcing()
    const first = executed(await here.ask())
    const waiting = asking(here, 1_000)
    await vi.advanceTimersByTimeAsync(0)
    await first.finish(given(201, 'made'))
    expect(new Set((await Promise.all(waiting)).map(told))).toEqual(new Set(['201 again made']))
    expect(here.reads()).toBe(2)
    expect(here.waited.length).toBeLessThanOrEqual(2)
  })

  it('tells each of many who come and go what there is when it is there', async () => {
    // Arrivals, endings, departures and deadlines never fall on one instant.
    const at = (rest: number, most: number) => fc.nat(most / 4).map((n) => 4 * n + rest)
    const client = fc.record({ comesAt: at(0, 4_000), goesAt: at(2, 12_000) })
    const ending = fc.constantFrom('complete', 'fail', 'release', 'lost')
    await fc.assert(
      fc.asyncProperty(
        fc.array(client, { minLength: 1, maxLength: 8 }),
        ending,
        fc.integer({ min: 1_001, max: 2_000 }).map((n) => 4 * n + 1),
        fc.integer({ min: 100, max: 1_500 }).map((n) => 4 * n + 3),
        async (clients, how, endsAt, waitMs) => {
          const here = announcing({ onInFlight: { waitMs } })
          const first = executed(await here.ask())
          const startedAt = performance.now()
          const outcomes = new Map<number, readonly [string, number]>()
          const steps: [number, () => unknown][] = clients.flatMap(({ comesAt, goesAt }, index) => {
            let leave = (): void => {}
            const come = (): void => {
              const { asked, leave: goes } = leaving(here.layer)
              leave = goes
              void asked.then((begun) => {
                const isReplay = begun.kind === 'reply' && begun.reply.status === 201
                const code = isReplay ? told(begun) : problemOf(begun).code
                outcomes.set(index, [code, performance.now() - startedAt])
              })
            }
            return [
              [comesAt, come],
              [Math.max(goesAt, comesAt + 2), () => leave()],
            ] as [number, () => unknown][]
          })
          steps.push([
            endsAt,
            async () => {
              if (how === 'lost') {
                await here.inner.release({ recordKey, token: here.store.tokens[0] ?? '' })
                return
              }
              first.execution[how]()
              await first.finish(given(201, 'made'))
            },
          ])
          for (const [when, step] of steps.sort(([one], [other]) => one - other)) {
            await vi.advanceTimersByTimeAsync(startedAt + when - performance.now())
            void step()
            await vi.advanceTimersByTimeAsync(0)
          }
          await vi.advanceTimersByTimeAsync(16_000)
          clients.forEach(({ comesAt, goesAt }, index) => {
            const over = Math.min(comesAt + waitMs, Math.max(goesAt, comesAt + 2))
            const isTold = endsAt < over
            const answer = isTold && how === 'complete' ? '201 again made' : 'request-in-flight'
            expect(outcomes.get(index)).toEqual([answer, isTold ? endsAt : over])
          })
          expect(count(here.heard.names, 'acquired')).toBe(1)
          const closed = here.layer.close()
          await vi.advanceTimersByTimeAsync(20_000)
          await closed
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('what a wait leaves behind', () => {
  it('is no timer and no listener, however it has ended', async () => {
    const here = announcing()
    const first = executed(await here.ask())
    const timers = vi.getTimerCount()
    const [gone, late, told] = [leaving(here.layer), leaving(here.layer), leaving(here.layer)]
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBeGreaterThan(timers)
    gone.leave()
    await gone.asked
    await vi.advanceTimersByTimeAsync(waitMs)
    await late.asked
    await told.asked
    expect(vi.getTimerCount()).toBe(timers)
    const last = leaving(here.layer)
    await vi.advanceTimersByTimeAsync(1_000)
    await first.finish(given(200))
    await last.asked
    // The heartbeat of the first has stopped as well.
    expect(vi.getTimerCount()).toBeLessThan(timers)
    for (const { stopped } of [gone, late, told, last]) expect(stopped).toHaveBeenCalledTimes(1)
    for (const signal of here.waited) {
      expect(signal.aborted).toBe(true)
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }
  })

  it('does not heap up while it lasts, whatever is announced', async () => {
    const signals: AbortSignal[] = []
    const quiet = gate()
    const here = scene(async (_, signal) => {
      signals.push(signal)
      await quiet.answer(async () => {})
    })
    await here.ask()
    const waiting = here.ask()
    await vi.advanceTimersByTimeAsync(3_000)
    quiet.open()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(signals.length).toBeGreaterThan(20)
    expect(getEventListeners(signals[0] as AbortSignal, 'abort').length).toBeLessThan(4)
    await vi.advanceTimersByTimeAsync(waitMs)
    await waiting
  })
})

describe('a client', () => {
  it('with another request than the first is refused at once', async () => {
    const here = scene()
    await here.ask()
    const other = await here.layer.begin(incoming({ key: 'k', json: { sku: 'B' } }))
    expect(problemOf(other).code).toBe('key-reused')
    expect(here.reads()).toBe(0)
  })

  it('that has gone before it could wait takes no seat', async () => {
    const here = scene(undefined, { onInFlight: { waitMs, maxWaiters: 1 } })
    await here.ask()
    const stopped = vi.fn()
    const request = {
      ...incoming({ key: 'k' }),
      whenGone: (listener: () => void) => {
        listener()
        return stopped
      },
    }
    expect(problemOf(await here.layer.begin(request)).code).toBe('request-in-flight')
    expect(stopped).toHaveBeenCalledTimes(1)
    const next = here.ask()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(problemOf(await here.ask()).code).toBe('request-in-flight')
    await vi.advanceTimersByTimeAsync(waitMs)
    await next
  })

  it('beyond maxWaiters is told at once, whichever key it comes with', async () => {
    const here = scene(undefined, { onInFlight: { waitMs, maxWaiters: 3, retryAfterMs: 2_500 } })
    const ask = (key: string) => here.layer.begin(incoming({ key }))
    await ask('one')
    await ask('two')
    const waiting = [ask('one'), ask('one'), ask('two')]
    await vi.advanceTimersByTimeAsync(0)
    for (const key of ['one', 'two']) {
      expect(problemOf(await ask(key))).toEqual({ code: 'request-in-flight', retryAfter: '3' })
    }
    await vi.advanceTimersByTimeAsync(waitMs)
    for (const begun of await Promise.all(waiting)) {
      expect(problemOf(begun)).toEqual({ code: 'request-in-flight', retryAfter: '3' })
    }
  })
})

describe('who waits for a first that comes to nothing', () => {
  const cases: [string, IdempotencyOptions<Native>['onDoubt'], string, string | undefined][] = [
    ['may ask again', 'run-again', 'request-in-flight', '1'],
    ['hears of the doubt', 'reject', 'outcome-unknown', undefined],
    ['may ask again, and it is found out then', vi.fn(() => answer(200)), 'request-in-flight', '1'],
  ]

  it.each(cases)('whose lease runs out %s', async (_, onDoubt, code, retryAfter) => {
    const here = scene(undefined, { onDoubt, leaseMs: 3_000 } as object)
    here.store.always('renew', hangs)
    await here.ask()
    const waiting = asking(here, 10)
    await vi.advanceTimersByTimeAsync(3_600)
    for (const begun of await Promise.all(waiting))
      expect(problemOf(begun)).toEqual({ code, retryAfter })
    expect(count(here.heard.names, 'acquired')).toBe(1)
    if (typeof onDoubt === 'function') expect(onDoubt).not.toHaveBeenCalled()
  })

  it.each(cases)('that answers 500 %s', async (_, onDoubt, code, retryAfter) => {
    const here = announcing({ onDoubt } as object)
    const first = executed(await here.ask())
    const waiting = asking(here, 10)
    await vi.advanceTimersByTimeAsync(0)
    await first.finish(given(500))
    for (const begun of await Promise.all(waiting))
      expect(problemOf(begun)).toEqual({ code, retryAfter })
    if (typeof onDoubt === 'function') expect(onDoubt).not.toHaveBeenCalled()
  })

  it('is refused where what stands is no record, also where it would run unprotected', async () => {
    for (const record of [{}, { fingerprint: 7 }, 'text']) {
      const here = scene(undefined, { onStoreDown: 'run-unprotected' })
      await here.ask()
      here.store.next('read', answers(record))
      expect(problemOf(await here.ask()).code).toBe('store-unavailable')
    }
  })
})

describe('close()', () => {
  it('lets go who waits, and who would have come to wait', async () => {
    const here = scene()
    const first = executed(await here.ask())
    const late = gate()
    here.store.next('acquire', async (forward) => forward(), late.answer)
    const [waiting, coming] = [here.ask(), here.ask()]
    await vi.advanceTimersByTimeAsync(100)
    const closed = here.layer.close()
    late.open()
    for (const begun of [await waiting, await coming]) {
      expect(problemOf(begun).code).toBe('request-in-flight')
    }
    await first.finish(given(200))
    await closed
  })
})

describe('run()', () => {
  it('waits as well: for the value of the first, or until it is refused', async () => {
    const { run } = createIdempotency({ store: memoryStore(), onInFlight: { waitMs } })
    const operation = { key: 'k', scope: 's' }
    const work = vi.fn((value: unknown) => value)
    let end = (_: string): void => {}
    const first = run(operation, () => new Promise<string>((resolve) => (end = resolve)))
    const refused = run(operation, () => work('second')).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(waitMs)
    expect(await refused).toMatchObject({ code: 'request-in-flight', retryAfterMs: 1_000 })
    const waiting = run(operation, () => work('third'))
    await vi.advanceTimersByTimeAsync(1_000)
    end('first')
    expect(await waiting).toBe(await first)
    expect(work).not.toHaveBeenCalled()
  })
})
