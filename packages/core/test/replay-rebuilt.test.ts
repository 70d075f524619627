import { gzipSync } from 'node:zlib'
import { describe, expect, it, vi } from 'vitest'
import { answer } from '../src/answer.js'
import { createHttpIdempotency } from '../src/http-idempotency.js'
import { useFakeClock } from './fake-clock.js'
import {
  executed,
  field,
  httpScene,
  problemOf,
  recordKey,
  replied,
  standing,
  textOf,
  told,
} from './http-scene.js'
import { given, incoming, type Native } from './incoming.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

describe('onReplay', () => {
  it('gets the stored answer and the request that asks now, and makes every replay afresh', async () => {
    let version = 1
    const here = httpScene({
      onReplay: async ({ status, headers, body }, { id }) =>
        answer(status, `${Buffer.from(body)} ${id} ${version++}`, [
          ...headers,
          ['Set-Cookie', 'seen=1'],
        ]),
    })
    await here.answered(201, 'made', { headers: [['Location', '/1']] })
    for (const turn of [1, 2]) {
      const replay = await here.ask({ key: 'k', native: { id: 'now' } })
      expect(told(replay)).toBe(`201 again made now ${turn}`)
      expect(field(replied(replay), 'Location')).toBe('/1')
      expect(field(replied(replay), 'Set-Cookie')).toBe('seen=1')
    }
  })

  it('changes nothing of what is stored, whatever it does with it', async () => {
    const here = httpScene({
      onReplay: ({ body }) => {
        Buffer.from(body.buffer, body.byteOffset, body.length).fill('x')
        return undefined
      },
    })
    await here.answered(201, 'made')
    const before = await standing(here)
    expect(told(await here.ask())).toBe('201 again xxxx')
    expect(await standing(here)).toEqual(before)
  })

  it('is not asked for a first answer, a problem, or an answer that was not stored', async () => {
    const onReplay = vi.fn()
    const here = httpScene({ onReplay, maxStoredBody: 3 })
    const first = executed(await here.ask())
    expect(problemOf(await here.ask()).code).toBe('request-in-flight')
    expect(await first.finish(given(201, 'long'))).toBeUndefined()
    expect(problemOf(await here.ask()).code).toBe('response-not-stored')
    expect(problemOf(await here.ask({ key: 'k', json: 2 })).code).toBe('key-reused')
    expect(onReplay).not.toHaveBeenCalled()
  })

  it('is an error of the application where it throws or makes something else', async () => {
    for (const wrong of [new Response('a'), { status: 200 }, 'text', null]) {
      const here = httpScene({ onReplay: () => wrong as never })
      await here.answered(201)
      await expect(here.ask()).rejects.toMatchObject({ code: 'option-invalid' })
    }
    const here = httpScene({ onReplay: () => Promise.reject(new Error('gone')) })
    await here.answered(201)
    await expect(here.ask()).rejects.toThrow('gone')
  })

  it('makes what goes out as any replay does: in a coding that the client takes', async () => {
    const here = httpScene({
      onReplay: () => answer(200, gzipSync('made'), { 'Content-Encoding': 'gzip' }),
    })
    await here.answered(200)
    expect(told(await here.ask())).toBe('200 again made')
    const fields = { 'accept-encoding': ['gzip'] }
    const coded = replied(await here.ask({ key: 'k', fields }))
    expect(field(coded, 'Content-Encoding')).toBe('gzip')
    expect(textOf(coded)).not.toBe('made')
  })

  it.each([
    ['makes the answer of one who has lost its lease as well', () => answer(200, 'afresh'), 200],
    [
      'that throws then leaves the client to ask again',
      () => {
        throw new Error('gone')
      },
      503,
    ],
  ])('%s', async (_, onReplay, status) => {
    const here = httpScene({ onReplay })
    const first = executed(await here.ask())
    const other = createHttpIdempotency<Native>({ store: here.inner, scope: 'global' })
    await here.inner.release({ recordKey, token: here.store.tokens[0] ?? '' })
    await executed(await other.begin(incoming({ key: 'k' }))).finish(given(200, 'the other'))
    const instead = await first.finish(given(200, 'mine'))
    expect(instead?.status).toBe(status)
    if (status === 200) expect(Buffer.from(instead?.body ?? []).toString()).toBe('afresh')
  })
})
