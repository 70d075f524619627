import { describe, expect, it, vi } from 'vitest'
import { answer } from '../src/answer.js'
import type { Execution } from '../src/execution.js'
import { createIdempotency } from '../src/run.js'
import { faultyStore, rejects } from './faulty-store.js'
import { executed, httpScene, problemOf, replied, standing, told } from './http-scene.js'
import { given } from './incoming.js'

/** A key whose first attempt has answered 500, so that nobody knows what it has done. */
const doubtful = async (onDoubt: (execution: Execution) => unknown) => {
  const here = httpScene({ onDoubt: onDoubt as never })
  const first = executed(await here.ask())
  const charge = first.execution.derivedKey('charge')
  await first.finish(given(500))
  return { ...here, charge }
}

describe('a key in doubt whose application finds out', () => {
  it('gets what has been done, kept and replayed, and its handler does not run', async () => {
    const asked: [attempt: number, charge: string][] = []
    const here = await doubtful((execution) => {
      asked.push([execution.attempt, execution.derivedKey('charge')])
      return answer(201, 'charged')
    })
    expect(told(await here.ask())).toBe('201 charged')
    expect(told(await here.ask())).toBe('201 again charged')
    expect(asked).toEqual([[2, here.charge]])
  })

  it('runs again where nothing has been done', async () => {
    const here = await doubtful(() => 'run-again')
    const second = executed(await here.ask())
    expect(second.execution).toMatchObject({ attempt: 2, after: 'failed' })
    await second.finish(given(201, 'second'))
    expect(told(await here.ask())).toBe('201 again second')
  })

  it('is asked about by one alone, and the others are told that it is in flight', async () => {
    let find = (_found: unknown): void => {}
    const asked = vi.fn(() => new Promise((resolve) => (find = resolve)))
    const here = await doubtful(asked)
    const one = here.ask()
    await vi.waitUntil(() => asked.mock.calls.length === 1)
    const others = await Promise.all(Array.from({ length: 20 }, () => here.ask()))
    for (const other of others) expect(problemOf(other).code).toBe('request-in-flight')
    find(answer(200, 'found'))
    expect(told(await one)).toBe('200 found')
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('stays in doubt where it cannot be found out, and the error reaches the caller', async () => {
    let tries = 0
    const here = await doubtful(() => {
      if (++tries === 1) throw new Error('the provider is down')
      return answer(200, 'found')
    })
    await expect(here.ask()).rejects.toThrow('the provider is down')
    expect(await standing(here)).toMatchObject({ state: 'failed', inDoubt: true, attempt: 2 })
    expect(told(await here.ask())).toBe('200 found')
  })

  it.each([undefined, new Response('bytes that nobody knows'), { status: 200 }])(
    'is not settled by %s',
    async (found) => {
      const here = await doubtful(() => found)
      await expect(here.ask()).rejects.toMatchObject({ code: 'option-invalid' })
      expect(await standing(here)).toMatchObject({ state: 'failed', inDoubt: true })
    },
  )

  it('gets what stands where another has taken it meanwhile', async () => {
    const here = await doubtful(async () => {
      const { token: _, ...record } = await standing(here)
      await here.inner.purgeExpired(0)
      expect(record.state).toBe('in_flight')
      here.store.always('complete', async () => 'stale')
      return answer(200, 'mine')
    })
    expect(problemOf(await here.ask()).code).toBe('request-in-flight')
  })

  it('is the same for a function: the value, or the work', async () => {
    const layer = createIdempotency({
      store: faultyStore(),
      onDoubt: (_execution, { payload }) =>
        payload === 'done' ? { value: 'was done' } : 'run-again',
    })
    for (const [payload, value] of [
      ['done', 'was done'],
      ['not done', 'done now'],
    ]) {
      const operation = { key: String(payload), scope: 's', payload }
      await expect(
        layer.run(operation, () => Promise.reject(new Error('the line went dead'))),
      ).rejects.toThrow()
      expect(await layer.run(operation, () => 'done now')).toBe(value)
      expect(await layer.run(operation, () => 'never')).toBe(value)
    }
  })
})

describe('an operator', () => {
  it('sees what stands under a key', async () => {
    const here = httpScene()
    expect(await here.layer.inspect({ key: 'k' })).toEqual({ state: 'absent' })
    const first = executed(await here.ask())
    expect(await here.layer.inspect({ key: 'k' })).toMatchObject({
      state: 'in_flight',
      attempt: 1,
      effectsMarked: false,
    })
    await first.finish(given(201, 'made'))
    const found = await here.layer.inspect({ key: 'k' })
    expect(found).toMatchObject({ state: 'completed', attempt: 1, result: { status: 201 } })
    await expect(here.layer.inspect({ key: 'k', scope: 'a' })).rejects.toMatchObject({
      code: 'option-invalid',
    })
  })

  it('ends a doubt with an answer, which is replayed', async () => {
    const here = httpScene({ onDoubt: 'reject' })
    await here.answered(500)
    expect(problemOf(await here.ask()).code).toBe('outcome-unknown')
    expect(await here.layer.inspect({ key: 'k' })).toMatchObject({ state: 'failed', inDoubt: true })
    expect(await here.layer.resolve({ key: 'k' }, answer(201, 'made'))).toBe('resolved')
    expect(told(await here.ask())).toBe('201 again made')
    expect(here.heard.names).toContain('resolved')
  })

  it('lets a key in doubt run again', async () => {
    const here = httpScene({ onDoubt: 'reject' })
    await here.answered(500)
    expect(await here.layer.resolve({ key: 'k' }, 'run-again')).toBe('resolved')
    await executed(await here.ask()).finish(given(201, 'again'))
    expect(told(await here.ask())).toBe('201 again again')
  })

  it('changes nothing of a key that is absent, in flight or completed', async () => {
    const here = httpScene({ onDoubt: 'reject' })
    const resolve = () => here.layer.resolve({ key: 'k' }, answer(200, 'mine'))
    expect(await resolve()).toBe('absent')
    const first = executed(await here.ask())
    expect(await resolve()).toBe('in-flight')
    await first.finish(given(201, 'first'))
    expect(await resolve()).toBe('completed')
    expect(told(await here.ask())).toBe('201 again first')
  })

  it('leaves a key in doubt where the word could not be written', async () => {
    const here = httpScene({ onDoubt: 'reject' })
    await here.answered(500)
    here.store.next('complete', rejects)
    await expect(here.layer.resolve({ key: 'k' }, answer(200))).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    await vi.waitUntil(async () => (await standing(here)).state === 'failed')
    expect(problemOf(await here.ask()).code).toBe('outcome-unknown')
  })
})

describe('a replay that the application makes afresh', () => {
  it('is given in place of the stored one, marked as a replay', async () => {
    const here = httpScene({ onReplay: ({ status }) => answer(status, 'as of now') })
    await here.answered(201, 'as it was')
    expect(told(await here.ask())).toBe('201 again as of now')
  })

  it('is the stored one where nothing is made', async () => {
    const here = httpScene({ onReplay: () => undefined })
    await here.answered(201, 'as it was')
    expect(told(await here.ask())).toBe('201 again as it was')
  })

  it('goes to the error handling where making it fails', async () => {
    const here = httpScene({
      onReplay: () => {
        throw new Error('gone')
      },
    })
    await here.answered(201)
    await expect(here.ask()).rejects.toThrow('gone')
    expect(replied(await here.ask({ key: 'k', json: 1 })).status).toBe(422)
  })
})
