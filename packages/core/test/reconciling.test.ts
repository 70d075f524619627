import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import { answer } from '../src/answer.js'
import { isIdempotencyError } from '../src/errors.js'
import type { Execution } from '../src/execution.js'
import { createHttpIdempotency } from '../src/http-idempotency.js'
import type { CommonOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import type { IdempotencyStore } from '../src/store.js'
import { useFakeClock } from './fake-clock.js'
import { answerHangs, answerLost, faultyStore, gate, hangs, rejects } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const leaseMs = 60_000
type FindsOut = (execution: Execution) => unknown
type Handler = (execution: Execution) => unknown

/** A layer, asked with one key: what the handler makes, what is told in its place, or the error. */
interface Asked {
  readonly ask: (handler?: Handler) => Promise<unknown>
  readonly heard: string[]
}
interface Kind {
  readonly layer: (store: IdempotencyStore, options: Partial<CommonOptions>, f: FindsOut) => Asked
  /** The word of a function that has found a text. */
  readonly found: (text: string) => unknown
}

const told = (error: unknown): unknown =>
  isIdempotencyError(error) ? error.code : (error as Error).message

const kinds: Record<string, Kind> = {
  'a request': {
    layer: (store, options, onDoubt) => {
      const layer = createHttpIdempotency<Native>({
        ...{ store, scope: 'global', leaseMs, ...options },
        onDoubt: onDoubt as never,
      })
      const ask = async (handler: Handler = ({ attempt }) => `ran ${attempt}`) => {
        const begun = await layer.begin(incoming({ key: 'k' }))
        if (begun.kind === 'reply') {
          const text = Buffer.from(begun.reply.body).toString()
          return begun.reply.status < 400 ? text : (JSON.parse(text) as { code: string }).code
        }
        try {
          const made = String(await handler(begun.http.execution))
          const instead = await begun.http.finish(given(201, made))
          return instead ? Buffer.from(instead.body).toString() : made
        } catch (error) {
          await begun.http.finish(given(500))
          throw error
        }
      }
      return { ask: (handler) => ask(handler).catch(told), heard: heardEvents(layer.events).names }
    },
    found: (text) => answer(201, text),
  },
  'a function': {
    layer: (store, options, onDoubt) => {
      const layer = createIdempotency({ store, leaseMs, ...options, onDoubt: onDoubt as never })
      const operation = { key: 'k', scope: 's' }
      return {
        ask: (handler: Handler = ({ attempt }) => `ran ${attempt}`) =>
          layer.run(operation, handler).catch(told),
        heard: heardEvents(layer.events).names,
      }
    },
    found: (value) => ({ value }),
  },
}

/** The ways into doubt, and what the next attempt comes after. */
const doubts = {
  failed: async ({ ask }: Asked) => {
    await ask(() => Promise.reject(new Error('hung up')))
  },
  abandoned: async ({ ask }: Asked, store: ReturnType<typeof faultyStore>) => {
    void ask(() => new Promise(() => {}))
    await vi.advanceTimersByTimeAsync(0)
    for (const verb of ['renew', 'complete', 'fail'] as const) store.always(verb, hangs)
    await vi.advanceTimersByTimeAsync(leaseMs)
  },
} as const

describe.each(Object.entries(kinds))('%s in doubt', (_, { layer, found }) => {
  /** Two processes on one store: one has left the doubt, the other finds out. */
  const scene = async (
    f: FindsOut,
    options: Partial<CommonOptions> = {},
    way: keyof typeof doubts = 'failed',
    marks = false,
  ) => {
    const inner = memoryStore()
    const dying = faultyStore(inner)
    let charge = ''
    const before = layer(dying, options, f)
    const attempt = async (execution: Execution, work: Handler) => {
      charge = execution.derivedKey('charge')
      if (marks) await execution.markEffects()
      return work(execution)
    }
    const ask = (work: Handler = () => '') => before.ask((execution) => attempt(execution, work))
    await doubts[way]({ ...before, ask: ask as Asked['ask'] }, dying)
    const store = faultyStore(inner)
    const other = layer(inner, options, f)
    return { ...layer(store, options, f), store, other, charge: () => charge }
  }

  it.each(['failed', 'abandoned'] as const)(
    'after an attempt that %s is asked about once, by the key that it has used',
    async (way) => {
      const asked: unknown[] = []
      const late = gate()
      const here = await scene(
        async ({ attempt, after, derivedKey }) => {
          asked.push([attempt, after, derivedKey('charge')])
          await late.answer(async () => {})
          return found('was done')
        },
        {},
        way,
      )
      const all = Promise.all(Array.from({ length: 100 }, () => here.ask()))
      await vi.advanceTimersByTimeAsync(0)
      late.open()
      const answers = await all
      expect(answers.filter((answer) => answer === 'was done')).toHaveLength(1)
      expect(new Set(answers)).toEqual(new Set(['was done', 'request-in-flight']))
      expect(asked).toEqual([[2, way, here.charge()]])
      expect(await here.ask()).toBe('was done')
      expect(here.heard.slice(0, 2)).toEqual(['acquired', 'takeover'])
      expect(here.heard.filter((name) => name === 'completed')).toHaveLength(1)
    },
  )

  it('is not asked about where it is none: a word, a refusal for now, a lost record', async () => {
    const findsOut = vi.fn(() => found('never'))
    const inner = memoryStore()
    const here = layer(inner, {}, findsOut)
    const says = (word: 'fail' | 'release') => (execution: Execution) => {
      execution[word]()
      throw new Error('nothing has happened')
    }
    await here.ask(says('fail'))
    await here.ask(says('release'))
    expect(await here.ask()).toBe('ran 1')
    expect(findsOut).not.toHaveBeenCalled()
  })

  it('stays in doubt where finding out fails, also when effects were marked', async () => {
    for (const [way, marks] of [
      ['failed', false],
      ['abandoned', true],
    ] as const) {
      let tries = 0
      const findsOut = () => {
        if (++tries < 3) throw new Error(`no answer ${tries}`)
        return found('was done')
      }
      const here = await scene(findsOut, {}, way, marks)
      const handler = vi.fn()
      expect(await here.ask(handler)).toBe('no answer 1')
      expect(await here.ask(handler)).toBe('no answer 2')
      for (const _ of ['found', 'replayed']) expect(await here.ask(handler)).toBe('was done')
      expect(handler).not.toHaveBeenCalled()
    }
  })

  it('stays in doubt where what was found is no word', async () => {
    const words: unknown[] = [undefined, null, 'done', 'run-again', 7]
    const here = await scene(() => words.shift())
    const handler = vi.fn()
    for (const _ of [1, 2, 3]) expect(await here.ask(handler)).toBe('option-invalid')
    expect(handler).not.toHaveBeenCalled()
    expect(await here.ask()).toBe('ran 5')
  })

  it('runs once where it may run again, as the attempt that asked', async () => {
    const here = await scene(() => 'run-again')
    const all = await Promise.all(Array.from({ length: 20 }, () => here.ask()))
    expect(all.filter((answer) => answer === 'ran 2').length).toBeGreaterThan(0)
    expect(here.heard.filter((name) => name === 'acquired')).toHaveLength(1)
    expect(await here.ask()).toBe('ran 2')
  })

  it('keeps what was found, whatever was said of it before', async () => {
    for (const word of ['fail', 'release'] as const) {
      const here = await scene((execution) => {
        execution[word]()
        return found('was done')
      })
      expect(await here.ask()).toBe('was done')
      expect(await here.other.ask()).toBe('was done')
    }
  })

  it('is the other’s where the lease is lost while it is found out', async () => {
    const words: (() => unknown)[] = [
      () => found('mine'),
      () => 'run-again',
      () => {
        throw new Error('no answer')
      },
    ]
    for (const word of words) {
      const late = gate()
      let calls = 0
      const here = await scene(async () => {
        if (++calls > 1) return found('the other’s')
        await late.answer(async () => {})
        return word()
      })
      here.store.always('renew', hangs)
      const handler = vi.fn()
      const asked = here.ask(handler)
      await vi.advanceTimersByTimeAsync(leaseMs)
      expect(await here.other.ask()).toBe('the other’s')
      here.store.always('renew', undefined)
      await vi.advanceTimersByTimeAsync(leaseMs)
      late.open()
      expect(await asked).toBe('the other’s')
      expect(handler).not.toHaveBeenCalled()
      expect(await here.other.ask()).toBe('the other’s')
    }
  })

  it('does not run once maxRunMs is over, and keeps what was found though late', async () => {
    for (const [word, answer] of [
      ['run-again', 'lease-lost'],
      [found('was done'), 'was done'],
    ] as const) {
      const late = gate()
      let isLate = true
      const here = await scene(
        async () => {
          if (!isLate) return 'run-again'
          await late.answer(async () => {})
          return word
        },
        { maxRunMs: 30_000 },
      )
      const handler = vi.fn()
      const asked = here.ask(handler)
      await vi.advanceTimersByTimeAsync(30_000)
      isLate = false
      late.open()
      expect(await asked).toBe(answer)
      expect(handler).not.toHaveBeenCalled()
      expect(await here.ask()).toBe(word === 'run-again' ? 'ran 3' : 'was done')
    }
  })

  it.each([
    ['is lost', answerLost],
    ['hangs', answerHangs],
  ])('does not come out of it where the answer to its claim %s', async (_, fault) => {
    const findsOut = vi.fn(() => found('was done'))
    const here = await scene(findsOut)
    here.store.next('acquire', async (forward) => forward(), fault)
    const asked = here.ask()
    await vi.advanceTimersByTimeAsync(2_100)
    expect(await asked).toBe('store-unavailable')
    expect(findsOut).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(leaseMs)
    const handler = vi.fn()
    expect(await here.ask(handler)).toBe('was done')
    expect(handler).not.toHaveBeenCalled()
  })

  it('is answered with what was found where that cannot be stored yet', async () => {
    const here = await scene(() => found('was done'))
    here.store.always('complete', rejects)
    const asked = here.ask()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await asked).toBe('was done')
    expect(await here.other.ask()).toBe('request-in-flight')
    here.store.always('complete', undefined)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await here.other.ask()).toBe('was done')
  })

  it('is kept alive while it is found out, however long that takes', async () => {
    const late = gate()
    const here = await scene(async () => {
      await late.answer(async () => {})
      return found('was done')
    })
    const asked = here.ask()
    for (let minute = 0; minute < 5; minute++) {
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await here.other.ask()).toBe('request-in-flight')
    }
    late.open()
    expect(await asked).toBe('was done')
  })

  it('is found out anew where the process that asked has died', async () => {
    let calls = 0
    const here = await scene(() => (++calls === 1 ? new Promise(() => {}) : found('was done')))
    void here.ask()
    for (const verb of ['renew', 'complete', 'fail'] as const) here.store.always(verb, hangs)
    await vi.advanceTimersByTimeAsync(leaseMs)
    expect(await here.other.ask()).toBe('was done')
  })
})
