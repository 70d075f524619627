import { ServerResponse } from 'node:http'
import { describe, expect, it, vi } from 'vitest'
import { captureResponse } from '../../src/node/index.js'
import { executed, httpScene } from '../http-scene.js'
import { expectNoUnhandledRejections } from '../unhandled-rejections.js'
import { bareListener, overHttp1, overHttp2 } from './bare-server.js'

expectNoUnhandledRejections()

describe('a request that something in front has answered meanwhile', () => {
  /** The first attempt is answered with 500, the second by somebody in front, and then the handler again. */
  const answeredInFront = async (onFirst: Parameters<typeof bareListener>[0]) => {
    let asked = 0
    const attempts: number[] = []
    const bare = bareListener(
      async (response, execution, message) => {
        attempts.push(execution.attempt)
        if (attempts.length === 1) return onFirst(response, execution, message)
        response.statusCode = 500
        response.end(`attempt ${execution.attempt}`)
      },
      {},
      {
        front: (response) => {
          asked++
          if (asked === 2) response.end('from the front')
        },
      },
    )
    const send = await overHttp1(bare.listener)
    const sent = { key: 'k' }
    await send(sent)
    expect(await send(sent)).toBe('200 from the front')
    await vi.waitFor(() =>
      expect(bare.heard.names.filter((name) => name === 'failed')).toHaveLength(2),
    )
    return { attempts, send: () => send(sent), heard: bare.heard }
  }

  it('does not run, and the attempt before it is not forgotten', async () => {
    const { send, attempts, heard } = await answeredInFront((response) => {
      response.statusCode = 500
      response.end()
    })
    expect(await send()).toBe('500 attempt 3')
    expect(attempts).toEqual([1, 3])
    expect(heard.names).not.toContain('released')
  })

  it('does not run, and effects that were marked before it stay marked', async () => {
    const { send, attempts } = await answeredInFront(async (response, execution) => {
      await execution.markEffects()
      execution.fail()
      response.end()
    })
    // An error is kept, since the effects have happened.
    expect(await send()).toBe('500 attempt 3')
    expect(await send()).toBe('500 attempt 3')
    expect(attempts).toEqual([1, 3])
  })

  it('leaves no trace where it was the first', async () => {
    let asked = 0
    const { listener, heard } = bareListener(
      (response, { attempt }) => response.end(`attempt ${attempt}`),
      {},
      { front: (response) => asked++ === 0 && response.end('from the front') },
    )
    const send = await overHttp1(listener)
    expect(await send({ key: 'k' })).toBe('200 from the front')
    await vi.waitFor(() => expect(heard.names).toEqual(['acquired', 'released']))
    expect(await send({ key: 'k' })).toBe('200 attempt 1')
  })
})

describe('mounted twice with different options', () => {
  it('the handler does not run, and the attempt before it is not forgotten', async () => {
    const attempts: number[] = []
    const handler: Parameters<typeof bareListener>[0] = (response, { attempt }) => {
      attempts.push(attempt)
      response.statusCode = attempt === 3 ? 201 : 500
      response.end()
    }
    const once = bareListener(handler)
    const { store } = once
    const twice = bareListener(handler, { store }, { second: { required: true } })
    const [send, sendTwice] = [await overHttp1(once.listener), await overHttp1(twice.listener)]
    expect(await send({ key: 'k' })).toBe('500 ')
    expect(await sendTwice({ key: 'k' })).toBe('500 own')
    expect(twice.errors).toMatchObject([{ code: 'mounted-twice' }])
    expect(twice.heard.names).toEqual(['acquired', 'takeover', 'failed'])
    expect(await send({ key: 'k' })).toBe('201 ')
    expect(attempts).toEqual([1, 3])
  })
})

describe('a request of HTTP/2', () => {
  it('with a key is one clear error, does not run, and gives its key back', async () => {
    for (const body of ['', 'x', 'x'.repeat(200_000)]) {
      let runs = 0
      const { listener, errors, heard, store } = bareListener((response) => {
        runs++
        response.end()
      })
      const send = await overHttp2(listener)
      for (const endings of [1, 2]) {
        expect(await send({ key: 'k', body })).toBe('500 own')
        expect(errors).toHaveLength(endings)
        await vi.waitFor(() => {
          expect(heard.names.filter((name) => name === 'released')).toHaveLength(endings)
        })
      }
      expect(errors[0]).toMatchObject({ code: 'option-invalid' })
      expect((errors[0] as Error).message).toContain('HTTP/2')
      expect(heard.names).toEqual(['acquired', 'released', 'acquired', 'released'])
      expect(store.calls).toEqual(['acquire', 'release', 'acquire', 'release'])
      expect(runs).toBe(0)
    }
  })

  it('gives its key back as it was found', async () => {
    const { listener, heard, errors } = bareListener((response) => {
      response.statusCode = 500
      response.end()
    })
    const [first, second] = [await overHttp1(listener), await overHttp2(listener)]
    const sent = { key: 'k', body: 'x' }
    expect(await first(sent)).toBe('500 ')
    expect(await second(sent)).toBe('500 own')
    await vi.waitFor(() => expect(heard.names.at(-1)).toBe('failed'))
    expect(await first(sent)).toBe('500 ')
    expect(heard.details.at(-1)).toMatchObject({ attempt: 3 })
    expect(errors).toHaveLength(1)
  })

  it('without a key passes untouched', async () => {
    const { listener, errors, store } = bareListener(async (response, _execution, message) => {
      let read = ''
      for await (const chunk of message) read += chunk
      response.end(read)
    })
    const send = await overHttp2(listener)
    expect(await send({ body: 'x' })).toBe('200 x')
    expect(await send()).toBe('200 ')
    expect([errors, store.calls]).toEqual([[], []])
  })

  it('with a key that is none is refused as elsewhere', async () => {
    const { listener } = bareListener(() => {})
    const send = await overHttp2(listener)
    expect(await send({ key: 'a,b', body: 'x' })).toMatch(/^400 .*key-invalid/)
  })
})

it('takes a response whose request does not say its version, as adapters of platforms make them', async () => {
  for (const request of [{ method: 'POST' }, { method: 'POST', httpVersionMajor: '1' }]) {
    const { ask } = httpScene()
    const response = new ServerResponse(request as never)
    expect(captureResponse(response, executed(await ask()))).toBe(true)
  }
})
