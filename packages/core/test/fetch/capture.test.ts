import { describe, expect, it } from 'vitest'
import { answer } from '../../src/answer.js'
import { transactionSide } from '../../src/transaction.js'
import { gate } from '../faulty-store.js'
import { expectNoUnhandledRejections } from '../unhandled-rejections.js'
import { bareHandler, controlledStream, isReplay, nextOf, turns } from './bare-handler.js'

expectNoUnhandledRejections()

const readerOf = (response: Response) =>
  (
    response.body as ReadableStream<Uint8Array>
  ).getReader() as ReadableStreamDefaultReader<Uint8Array>

describe('an answer that a fetch handler gives', () => {
  const cases: Record<string, () => Response> = {
    text: () => new Response('caf\u00e9', { status: 201, headers: { Location: '/orders/1' } }),
    JSON: () => Response.json({ a: 1 }, { status: 422 }),
    bytes: () => new Response(Uint8Array.of(0, 255, 13, 10)),
    'nothing at all': () => new Response(null, { status: 201 }),
    'a 204': () => new Response(null, { status: 204 }),
    'a 304': () => new Response(null, { status: 304, headers: { ETag: '"1"' } }),
    'a redirection whose fields cannot be changed': () => Response.redirect('http://shop/1', 303),
    'a form': () => new Response(new URLSearchParams({ a: '1' })),
    'a blob': () => new Response(new Blob(['blob'], { type: 'image/png' })),
    'fields on several lines': () =>
      new Response('x', {
        headers: [
          ['Link', '<a>'],
          ['Link', '<b>'],
        ],
      }),
  }
  it.each(Object.keys(cases))('comes as it is and is given again: %s', async (name) => {
    const given = cases[name] as () => Response
    const { send, heard } = bareHandler(given)
    const [first, replay, bare] = [await send('k'), await send('k'), given()]
    expect([first.status, first.statusText]).toEqual([bare.status, bare.statusText])
    expect([...first.headers]).toEqual([...bare.headers])
    const bytes = Buffer.from(await bare.arrayBuffer())
    expect(Buffer.from(await first.arrayBuffer()).equals(bytes)).toBe(true)
    expect(isReplay(replay)).toBe(true)
    expect(replay.status).toBe(bare.status)
    expect(Buffer.from(await replay.arrayBuffer()).equals(bytes)).toBe(true)
    for (const [field, value] of bare.headers) expect(replay.headers.get(field)).toBe(value)
    expect(heard.names).toContain('completed')
  })

  it('sets each cookie for the first client, unsplit, and for no other', async () => {
    const cookies = ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2']
    const { send } = bareHandler(() => {
      const headers = new Headers()
      for (const cookie of cookies) headers.append('Set-Cookie', cookie)
      return new Response('x', { headers })
    })
    expect((await send('k')).headers.getSetCookie()).toEqual(cookies)
    expect((await send('k')).headers.getSetCookie()).toEqual([])
  })

  it('is the very same object where nothing has to change', async () => {
    const given = [new Response('x'), new Response(null, { status: 204 })]
    const { send } = bareHandler(() => given.shift() as Response)
    const [text, none] = [...given]
    expect(await send(undefined)).toBe(text)
    expect(await send('k')).toBe(none)
  })

  it('is the very same object where it was known without reading it', async () => {
    const given = new Response('x', { status: 201 })
    const { send } = bareHandler(
      () => given,
      {},
      { peek: (response) => ({ headers: response.headers, body: 'x' }) },
    )
    expect(await send('k')).toBe(given)
    expect(await (await send('k')).text()).toBe('x')
  })

  it('that is an error of the network fails, and is passed on', async () => {
    const given = Response.error()
    const { send, heard } = bareHandler(() => given)
    expect(await send('k')).toBe(given)
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('is held until its record is durable', async () => {
    const { store, send } = bareHandler(() => new Response('x'))
    const stored = gate()
    store.next('complete', stored.call)
    let isAnswered = false
    const answered = send('k').then((response) => {
      isAnswered = true
      return response
    })
    await turns()
    expect(store.calls).toContain('complete')
    expect(isAnswered).toBe(false)
    stored.open()
    expect(await (await answered).text()).toBe('x')
  })

  it('has what was set in front of the layer, and the record has not', async () => {
    const { send } = bareHandler(
      () => new Response('x', { headers: { 'X-Outer': '1', 'X-Inner': '1' } }),
      {},
      { outerHeaders: [['X-Outer', '1']] },
    )
    await send('k')
    const replay = await send('k')
    expect([replay.headers.get('X-Outer'), replay.headers.get('X-Inner')]).toEqual([null, '1'])
  })
})

describe('a handler that throws', () => {
  it('fails the key, and its error goes on', async () => {
    const boom = new Error('boom')
    const { send, heard } = bareHandler(() => {
      throw boom
    })
    await expect(send('k')).rejects.toBe(boom)
    expect(heard.names).toEqual(['acquired', 'failed'])
  })
})

describe('a stream that a fetch handler answers with', () => {
  it('is held as a whole where it is whole within a turn of the event loop', async () => {
    const { store, send } = bareHandler(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => {
              for (const text of ['one ', 'two ']) controller.enqueue(Buffer.from(text))
              controller.close()
            },
          }),
        ),
    )
    const stored = gate()
    store.next('complete', stored.call)
    const answered = send('k')
    await turns()
    expect(store.calls).toContain('complete')
    stored.open()
    expect(await (await answered).text()).toBe('one two ')
    expect(await (await send('k')).text()).toBe('one two ')
  })

  it('leaves as it comes, and its end when the record is durable', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(() => new Response(source.stream))
    const stored = gate()
    store.next('complete', stored.call)
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    expect(store.calls).not.toContain('complete')
    source.end()
    let isOver = false
    const over = reader.read().then(() => {
      isOver = true
    })
    await turns()
    expect(store.calls).toContain('complete')
    expect(isOver).toBe(false)
    stored.open()
    await over
    expect(await (await send('k')).text()).toBe('one ')
  })

  it('is asked for no more than the client has taken', async () => {
    const source = controlledStream()
    const { send } = bareHandler(() => new Response(source.stream))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    const before = source.pulls()
    await turns()
    expect(source.pulls()).toBe(before)
    void reader.read()
    await turns()
    expect(source.pulls()).toBe(before + 1)
    source.end()
  })

  it('keeps back the byte that reaches its length', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(
      () => new Response(source.stream, { headers: { 'Content-Length': '8' } }),
    )
    const stored = gate()
    store.next('complete', stored.call)
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    source.give('two ')
    let last: string | undefined
    const taken = nextOf(reader).then((text) => {
      last = text
    })
    await turns()
    expect(store.calls).toContain('complete')
    expect(last).toBeUndefined()
    stored.open()
    await taken
    expect(last).toBe('two ')
    source.end()
    expect(await nextOf(reader)).toBeUndefined()
  })

  it('is recorded before the byte that makes it too long to be kept, and flows on', async () => {
    const source = controlledStream()
    const { store, send, heard } = bareHandler(() => new Response(source.stream, { status: 201 }), {
      maxStoredBody: 6,
    })
    const stored = gate()
    store.next('complete', stored.call)
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    source.give('two ')
    let second: string | undefined
    const taken = nextOf(reader).then((text) => {
      second = text
    })
    await turns()
    expect(second).toBeUndefined()
    stored.open()
    await taken
    expect(second).toBe('two ')
    expect(heard.names).toContain('completed')
    source.give('three')
    expect(await nextOf(reader)).toBe('three')
    source.end()
    expect(await nextOf(reader)).toBeUndefined()
    expect((await send('k')).status).toBe(409)
  })

  it('is passed on untouched where its head says that it cannot be kept', async () => {
    for (const headers of [
      { 'Content-Type': 'text/event-stream' },
      { 'Content-Length': String(2 * 1024 * 1024) },
    ]) {
      const given = new Response(controlledStream().stream, { headers })
      const { send, heard } = bareHandler(() => given)
      expect(await send('k')).toBe(given)
      expect(heard.names).toEqual(['acquired', 'completed'])
      expect((await send('k')).status).toBe(409)
    }
  })

  it('of 10 MB arrives whole, and no more of it is held than can be kept', async () => {
    const chunk = new Uint8Array(64 * 1024).fill(7)
    let given = 0
    const { send } = bareHandler(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => {
              if (given++ === 160) controller.close()
              else controller.enqueue(chunk)
            },
          }),
        ),
    )
    const response = await send('k')
    await turns()
    expect(given).toBeLessThan(20)
    expect((await response.arrayBuffer()).byteLength).toBe(160 * chunk.length)
  })

  it('does not run again where its source fails after its head has left', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    source.fail(new Error('the source failed'))
    await expect(reader.read()).rejects.toThrow('the source failed')
    await turns()
    expect(heard.names).toEqual(['acquired', 'completed'])
    expect((await send('k')).status).toBe(409)
  })

  it('runs again where its source fails before anything has left', async () => {
    const { send, heard } = bareHandler(
      () =>
        new Response(
          new ReadableStream({
            pull: () => {
              throw new Error('the source failed')
            },
          }),
        ),
    )
    await expect(send('k')).rejects.toThrow('the source failed')
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('is recorded at once where the client goes in the middle', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    await reader.cancel()
    await turns()
    expect(source.isCancelled()).toBe(true)
    expect(heard.names).toEqual(['acquired', 'completed'])
    expect((await send('k')).status).toBe(409)
  })

  it('is read to its end where the client went before its head had left', async () => {
    for (const capturing of [{}, { isGone: () => true }]) {
      const source = controlledStream()
      const { send, heard } = bareHandler(() => new Response(source.stream), {}, capturing)
      const answered = send('k')
      if (!('isGone' in capturing)) await (await answered).body?.cancel()
      await turns()
      source.give('one ')
      source.end()
      await answered
      await turns()
      expect(heard.names).toEqual(['acquired', 'completed'])
      expect(await (await send('k')).text()).toBe('one ')
    }
  })

  it('that is broken off stays a failure where its status is one', async () => {
    const source = controlledStream()
    const { send, heard } = bareHandler(() => new Response(source.stream, { status: 503 }))
    const reader = readerOf(await send('k'))
    source.give('one ')
    await nextOf(reader)
    await reader.cancel()
    await turns()
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('of a failure leaves whole, whatever its size', async () => {
    const { send, heard } = bareHandler(
      () => new Response('0123456789'.repeat(3), { status: 503 }),
      { maxStoredBody: 10 },
    )
    expect(await (await send('k')).text()).toHaveLength(30)
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('of something that is no bytes breaks off', async () => {
    const { send } = bareHandler(
      () =>
        new Response(new ReadableStream({ pull: (controller) => controller.enqueue(7 as never) })),
    )
    await expect(send('k')).rejects.toThrow(TypeError)
  })
})

describe('a handler that has lost its lease', () => {
  it('gives what stands in place of a whole answer', async () => {
    const { store, send } = bareHandler(() => new Response('x', { headers: { 'X-Dropped': '1' } }))
    store.next('complete', async () => 'stale')
    const response = await send('k')
    expect(response.status).toBe(409)
    expect(response.headers.get('Content-Type')).toBe('application/problem+json')
    expect(response.headers.get('X-Dropped')).toBeNull()
  })

  it('gives what stands in place of an answer whose first byte makes it too long', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(() => new Response(source.stream), { maxStoredBody: 3 })
    store.next('complete', async () => 'stale')
    const answered = send('k')
    source.give('four')
    expect((await answered).status).toBe(409)
    expect(source.isCancelled()).toBe(true)
  })

  it('breaks off what has begun to leave', async () => {
    const source = controlledStream()
    const { store, send } = bareHandler(() => new Response(source.stream))
    store.next('complete', async () => 'stale')
    const reader = readerOf(await send('k'))
    source.give('one ')
    expect(await nextOf(reader)).toBe('one ')
    source.end()
    await expect(reader.read()).rejects.toThrow('Another answer stands')
  })
})

describe('the answer of a transaction', () => {
  /** As a store does it, with the calls of its side in order. */
  const transaction = async (
    execution: object,
    work: () => unknown,
    store?: () => Promise<unknown>,
  ) => {
    const side = transactionSide(execution)
    try {
      side.begin()
      const returned = work()
      if (side.lease) side.ending(returned)
      await store?.()
      side.committed(returned)
      return returned
    } catch (error) {
      side.rolledBack('failed')
      throw error
    }
  }

  it('is what was committed, whatever the handler returns', async () => {
    const { send, store } = bareHandler(
      async (_request, execution) => {
        await transaction(execution, () => answer(201, { id: 1 }, { Location: '/orders/1' }))
        return new Response('something else', { status: 500 })
      },
      {},
      { outerHeaders: [['X-Outer', '1']] },
    )
    const response = await send('k')
    expect([response.status, await response.text()]).toEqual([201, '{"id":1}'])
    expect(response.headers.get('Location')).toBe('/orders/1')
    expect(response.headers.get('X-Outer')).toBe('1')
    expect(store.calls).toEqual(['acquire'])
  })

  it('is what was committed, also where the handler throws afterwards', async () => {
    const { send } = bareHandler(async (_request, execution) => {
      await transaction(execution, () => answer(201, 'done'))
      throw new Error('too late')
    })
    expect(await (await send('k')).text()).toBe('done')
  })

  it('decides also where the handler has not waited for it', async () => {
    const commit = gate()
    const { send } = bareHandler((_request, execution) => {
      void transaction(
        execution,
        () => answer(201, 'committed'),
        () => commit.call(async () => {}),
      )
      return new Response('early')
    })
    const answered = send('k')
    await turns()
    commit.open()
    expect(await (await answered).text()).toBe('committed')
  })

  it('is missing where the work returns another', async () => {
    const { send, heard } = bareHandler(async (_request, execution) => {
      await transaction(execution, () => new Response('not known at once'))
      return new Response('never')
    })
    await expect(send('k')).rejects.toMatchObject({ code: 'answer-missing' })
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('cannot be given when the handler has answered', async () => {
    const late = gate()
    let refused: unknown
    const { send } = bareHandler((_request, execution) => {
      refused = late.call(async () => {}).then(() => transaction(execution, () => answer(201)))
      ;(refused as Promise<unknown>).catch(() => {})
      return new Response('early')
    })
    await send('k')
    late.open()
    await expect(refused).rejects.toMatchObject({ code: 'answer-missing' })
  })

  it('is rolled back with what the framework was told meanwhile', async () => {
    const told: string[] = []
    for (const key of ['k', undefined]) {
      const { send } = bareHandler(
        async (_request, execution) => {
          await transaction(execution, () => {
            throw new Error('no more')
          }).catch(() => {})
          return new Response('x')
        },
        {},
        {
          saveHead: () => {
            told.push('saved')
            return () => told.push('brought back')
          },
        },
      )
      await send(key)
      expect(told.splice(0)).toEqual(['saved', 'brought back'])
    }
  })

  it('without a key is a plain one, and the handler returns what it likes', async () => {
    const { send } = bareHandler(async (_request, execution) => {
      await transaction(execution, () => 'no answer')
      return new Response('mine')
    })
    expect(await (await send(undefined)).text()).toBe('mine')
  })
})
