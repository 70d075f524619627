import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import { answer } from '../src/answer.js'
import { encrypted } from '../src/encrypted.js'
import { createHttpIdempotency } from '../src/http-idempotency.js'
import type { KeyOf } from '../src/operations.js'
import type { IdempotencyOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import { useFakeClock } from './fake-clock.js'
import { answerHangs, answerLost, answers, full, gate, hangs, rejects } from './faulty-store.js'
import { executed, field, httpScene, problemOf, recordKey, standing, told } from './http-scene.js'
import { given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const storeTimeoutMs = 2_000
const scene = (options: Partial<IdempotencyOptions<Native>> = {}) =>
  httpScene({ onDoubt: 'reject', storeTimeoutMs, ...options })
const codec = encrypted({ keys: { a: Buffer.alloc(32, 7) }, current: 'a' })

/** Ways in which a key comes to be in doubt, or to have failed otherwise. */
const doubtful: Record<string, (here: ReturnType<typeof scene>) => Promise<void>> = {
  'failed in doubt': async ({ answered }) => {
    await answered(500)
  },
  'failed without doubt': async ({ answered }) => {
    await answered(409)
  },
  abandoned: async ({ ask, store }) => {
    store.always('renew', hangs)
    await ask()
    await vi.advanceTimersByTimeAsync(60_000)
    store.always('renew', undefined)
  },
}

describe('inspect()', () => {
  it('tells every state, as the store has it', async () => {
    const here = scene({ retentionMs: 10_000, doubtRetentionMs: 100_000 })
    const look = () => here.layer.inspect({ key: 'k' })
    expect(await look()).toEqual({ state: 'absent' })
    const first = executed(await here.ask())
    await vi.advanceTimersByTimeAsync(1_000)
    const inFlight = { state: 'in_flight', attempt: 1, leaseRemainingMs: 59_000 }
    expect(await look()).toEqual({ ...inFlight, effectsMarked: false })
    await first.execution.markEffects()
    expect(await look()).toEqual({ ...inFlight, leaseRemainingMs: 60_000, effectsMarked: true })
    here.store.always('renew', hangs)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await look()).toEqual({ ...inFlight, leaseRemainingMs: 0, effectsMarked: true })
    here.store.always('renew', undefined)
    first.execution.fail()
    await first.finish(given(500))
    const failed = { state: 'failed', attempt: 1, inDoubt: false, effectsMarked: true }
    expect(await look()).toEqual({ ...failed, remainingMs: 10_000 })
    const second = executed(await here.ask())
    await second.finish(given(201, 'made', { headers: [['Location', '/1']] }))
    const response = { status: 201, headers: [['Location', '/1']], body: Buffer.from('made') }
    const completed = { state: 'completed', attempt: 2, remainingMs: 10_000 }
    expect(await look()).toEqual({ ...completed, result: response })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await look()).toEqual({ state: 'absent' })
  })

  it('tells of a doubt, and of a result that could not be kept', async () => {
    const here = scene({ maxStoredBody: 3 })
    await here.answered(500)
    expect(await here.layer.inspect({ key: 'k' })).toMatchObject({ state: 'failed', inDoubt: true })
    await here.layer.resolve({ key: 'k' }, answer(200, 'long'))
    expect(await here.layer.inspect({ key: 'k' })).toMatchObject({
      state: 'completed',
      result: undefined,
    })
  })

  it('reads what a codec has wrapped, and says that it cannot where it cannot', async () => {
    const here = scene({ codec })
    await here.answered(201, 'made')
    expect(await here.layer.inspect({ key: 'k' })).toMatchObject({ result: { status: 201 } })
    const { inner } = here
    const other = createHttpIdempotency<Native>({ store: inner, scope: 'global' })
    await expect(other.inspect({ key: 'k' })).rejects.toMatchObject({ unreadable: true })
  })

  it('rejects where the store is down or does not answer, and claims nothing', async () => {
    for (const fault of [rejects, hangs]) {
      const here = scene()
      here.store.always('read', fault)
      const looked = here.layer.inspect({ key: 'k' }).catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(storeTimeoutMs)
      expect(await looked).toMatchObject({ code: 'store-unavailable' })
      expect(here.store.calls).toEqual(['read'])
    }
  })
})

describe('resolve()', () => {
  const states = Object.entries(doubtful)

  it.each(states)('gives a key that is %s an answer, kept and replayed', async (_, come) => {
    const here = scene({ codec, retentionMs: 10_000 })
    await come(here)
    const word = answer(500, { charged: true }, { Location: '/charges/1', 'Set-Cookie': 'a=b' })
    expect(await here.layer.resolve({ key: 'k' }, word)).toBe('resolved')
    expect(here.heard.names.at(-1)).toBe('resolved')
    expect(here.heard.details.at(-1)).toMatchObject({ keyHash: recordKey, attempt: 2 })
    const replay = await here.ask()
    expect(told(replay)).toBe('500 again {"charged":true}')
    if (replay.kind !== 'reply') throw new Error('it is none')
    expect(field(replay.reply, 'Location')).toBe('/charges/1')
    expect(field(replay.reply, 'Set-Cookie')).toBeUndefined()
    expect(await here.layer.inspect({ key: 'k' })).toMatchObject({ remainingMs: 10_000 })
  })

  it.each(states)('lets a key that is %s run again, once', async (_, come) => {
    const here = scene()
    await come(here)
    expect(await here.layer.resolve({ key: 'k' }, 'run-again')).toBe('resolved')
    const all = await Promise.all([here.ask(), here.ask(), here.ask()])
    const running = all.filter(({ kind }) => kind === 'execute').map(executed)
    expect(running).toHaveLength(1)
    expect(running[0]?.execution).toMatchObject({ attempt: 3, after: 'failed' })
    await running[0]?.finish(given(201, 'again'))
    expect(told(await here.ask())).toBe('201 again again')
  })

  it('changes nothing of a key that is absent, in flight or completed', async () => {
    for (const word of [answer(200, 'mine'), 'run-again'] as const) {
      const here = scene()
      const resolve = () => here.layer.resolve({ key: 'k' }, word)
      expect(await resolve()).toBe('absent')
      expect(await here.inner.read(recordKey)).toBeUndefined()
      const first = executed(await here.ask())
      const [running] = [await standing(here)]
      expect(await resolve()).toBe('in-flight')
      expect(await standing(here)).toEqual(running)
      await first.finish(given(201, 'first'))
      const completed = await standing(here)
      expect(await resolve()).toBe('completed')
      expect(await standing(here)).toEqual(completed)
      expect(here.heard.names).not.toContain('resolved')
    }
  })

  it('that meets a request leaves one of them: who comes first', async () => {
    for (const isFirst of [true, false]) {
      const here = scene({ onDoubt: 'run-again' })
      await here.answered(500)
      const late = gate()
      here.store.next('read', late.answer)
      const resolving = here.layer.resolve({ key: 'k' }, answer(201, 'found'))
      if (!isFirst) late.open()
      if (!isFirst) await resolving
      const asked = await here.ask()
      late.open()
      if (isFirst) {
        expect(await resolving).toBe('in-flight')
        await executed(asked).finish(given(201, 'ran'))
        expect(told(await here.ask())).toBe('201 again ran')
      } else {
        expect(await resolving).toBe('resolved')
        expect(told(asked)).toBe('201 again found')
      }
    }
  })

  it('of two operators is heard once', async () => {
    const here = scene()
    await here.answered(500)
    const words = ['one', 'other'].map((text) =>
      here.layer.resolve({ key: 'k' }, answer(200, text)),
    )
    const outcomes = await Promise.all(words)
    expect(outcomes.filter((outcome) => outcome === 'resolved')).toHaveLength(1)
    expect(told(await here.ask())).toMatch(/^200 again (one|other)$/)
  })

  it('of a record that is lost meanwhile makes none', async () => {
    for (const fault of [undefined, answerLost, rejects, hangs]) {
      const here = scene()
      await here.answered(500)
      const { token } = await standing(here)
      here.store.next('read', async (forward) => {
        const found = await forward()
        await here.inner.acquire({
          ...{ recordKey, token, fingerprint: (await standing(here)).fingerprint },
          ...{ leaseMs: 1, retentionMs: 1, takeover: true },
        })
        await here.inner.release({ recordKey, token })
        return found
      })
      if (fault) here.store.next('release', fault)
      const resolved = here.layer.resolve({ key: 'k' }, answer(200)).catch((error: Error) => error)
      await vi.advanceTimersByTimeAsync(storeTimeoutMs + 100)
      if (fault) expect(await resolved).toMatchObject({ code: 'store-unavailable' })
      else expect(await resolved).toBe('absent')
      expect(await here.inner.read(recordKey)).toBeUndefined()
    }
  })

  it.each([
    ['the look fails', 'read', rejects],
    ['the look hangs', 'read', hangs],
    ['the claim fails', 'acquire', rejects],
    ['the claim hangs', 'acquire', hangs],
    ['the answer to the claim is lost', 'acquire', answerLost],
    ['the answer to the claim hangs', 'acquire', answerHangs],
    ['the word fails', 'complete', rejects],
    ['the word hangs', 'complete', hangs],
    ['the word finds no room', 'complete', full],
  ] as const)('leaves the key in doubt where %s', async (_, verb, fault) => {
    const here = scene()
    await here.answered(500)
    here.store.next(verb, fault)
    const resolved = here.layer.resolve({ key: 'k' }, answer(200, 'mine')).catch((e: unknown) => e)
    await vi.advanceTimersByTimeAsync(2 * storeTimeoutMs)
    expect(await resolved).toMatchObject({
      code: fault === full ? 'store-full' : 'store-unavailable',
    })
    expect(here.heard.names).not.toContain('resolved')
    // A claim of which nothing is known is undone, or over with its lease.
    await vi.advanceTimersByTimeAsync(60_000)
    expect(problemOf(await here.ask()).code).toBe('outcome-unknown')
    expect(await here.layer.resolve({ key: 'k' }, answer(200, 'mine'))).toBe('resolved')
  })

  it('whose answer was lost has been heard', async () => {
    const here = scene()
    await here.answered(500)
    here.store.next('complete', answerLost)
    await expect(here.layer.resolve({ key: 'k' }, answer(200, 'mine'))).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    await vi.advanceTimersByTimeAsync(100)
    expect(told(await here.ask())).toBe('200 again mine')
  })

  it('does not go on for ever where the store changes under it', async () => {
    const here = scene()
    await here.answered(500)
    here.store.always('acquire', answers({ kind: 'exists', record: await standing(here) }))
    expect(await here.layer.resolve({ key: 'k' }, 'run-again')).toBe('in-flight')
    here.store.always('acquire', undefined)
    here.store.always('fail', answers('stale'))
    expect(await here.layer.resolve({ key: 'k' }, 'run-again')).toBe('in-flight')
  })

  it('takes an answer() and nothing else, and a codec that fails leaves all as it was', async () => {
    const failing = {
      ...codec,
      encode: () => {
        throw new Error('no key today')
      },
    }
    const here = scene({ codec: failing })
    await here.answered(500)
    const before = await standing(here)
    for (const word of [undefined, null, 'run', new Response('a'), { status: 200 }])
      await expect(here.layer.resolve({ key: 'k' }, word as never)).rejects.toMatchObject({
        code: 'option-invalid',
      })
    await expect(here.layer.resolve({ key: 'k' }, answer(200))).rejects.toThrow('no key today')
    expect(await standing(here)).toEqual(before)
  })
})

describe('a key', () => {
  it('is named with its scope, unless that is global', async () => {
    const store = memoryStore()
    const layer = createHttpIdempotency<Native>({ store, scope: ({ tenant }) => tenant })
    await executed(await layer.begin(incoming({ key: 'k', native: { tenant: 'a' } }))).finish(
      given(201),
    )
    expect(await layer.inspect({ scope: 'a', key: 'k' })).toMatchObject({ state: 'completed' })
    for (const scope of ['b', 'global']) {
      expect(await layer.inspect({ scope, key: 'k' })).toEqual({ state: 'absent' })
    }
    const shared = createHttpIdempotency<Native>({ store, scope: 'global' })
    const wrong: [typeof layer, object][] = [
      [layer, { key: 'k' }],
      [shared, { scope: 'a', key: 'k' }],
      [layer, { scope: 'a' }],
      [layer, { scope: '', key: 'k' }],
      [layer, { scope: 'a', key: 'k', method: 'POST', path: '/orders' }],
    ]
    for (const [asked, of] of wrong) {
      const refusal = { code: 'option-invalid' }
      await expect(asked.inspect(of as KeyOf)).rejects.toMatchObject(refusal)
      await expect(asked.resolve(of as KeyOf, 'run-again')).rejects.toMatchObject(refusal)
    }
  })

  it('is named with method and path under keyScope route', async () => {
    const here = scene({ keyScope: 'route' })
    await executed(await here.ask({ key: 'k', target: '/orders?dry=1' })).finish(given(500))
    const route = { method: 'POST', path: '/orders' }
    for (const path of ['/orders', '/orders?dry=1']) {
      const found = await here.layer.inspect({ key: 'k', ...route, path })
      expect(found).toMatchObject({ state: 'failed' })
    }
    expect(await here.layer.inspect({ key: 'k', ...route, path: '/other' })).toEqual({
      state: 'absent',
    })
    for (const of of [{}, { method: 'POST' }, { path: '/orders' }])
      await expect(here.layer.inspect({ key: 'k', ...of })).rejects.toMatchObject({
        code: 'option-invalid',
      })
    expect(await here.layer.resolve({ key: 'k', ...route }, answer(201, 'found'))).toBe('resolved')
    expect(told(await here.ask({ key: 'k', target: '/orders?dry=1' }))).toBe('201 again found')
  })
})

describe('of functions', () => {
  const operation = { key: 'k', scope: 's', payload: 1 }

  it('a key is inspected and resolved with the value of its work', async () => {
    const { run, inspect, resolve } = createIdempotency({ store: memoryStore(), onDoubt: 'reject' })
    await run(operation, () => Promise.reject(new Error('hung up'))).catch(() => {})
    expect(await inspect(operation)).toMatchObject({ state: 'failed', inDoubt: true, attempt: 1 })
    await expect(resolve(operation, 'booked' as never)).rejects.toMatchObject({
      code: 'option-invalid',
    })
    expect(await resolve(operation, { value: 'booked' })).toBe('resolved')
    expect(await run(operation, () => 'again')).toBe('booked')
    expect(await inspect(operation)).toMatchObject({
      state: 'completed',
      attempt: 2,
      result: { value: 'booked' },
    })
  })

  it('a key may run again, and needs its scope', async () => {
    const { run, inspect, resolve } = createIdempotency({ store: memoryStore(), onDoubt: 'reject' })
    await run(operation, () => Promise.reject(new Error('hung up'))).catch(() => {})
    for (const of of [{ key: 'k' }, { key: 'k', scope: '' }])
      await expect(inspect(of)).rejects.toMatchObject({ code: 'option-invalid' })
    expect(await resolve(operation, 'run-again')).toBe('resolved')
    expect(await run(operation, () => 'again')).toBe('again')
  })
})
