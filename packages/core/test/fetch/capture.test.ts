import { describe, expect, it } from 'vitest'
import { gate } from '../faulty-store.js'
import { expectNoUnhandledRejections } from '../unhandled-rejections.js'
import { bareHandler, isReplay, turns } from './bare-handler.js'

expectNoUnhandledRejections()

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
    const [first, bare] = [await send('k'), given()]
    expect([first.status, first.statusText]).toEqual([bare.status, bare.statusText])
    expect([...first.headers]).toEqual([...bare.headers])
    const bytes = Buffer.from(await bare.arrayBuffer())
    // A body that takes its time is recorded when it has been read.
    expect(Buffer.from(await first.arrayBuffer()).equals(bytes)).toBe(true)
    const replay = await send('k')
    expect(isReplay(replay)).toBe(true)
    expect(replay.status).toBe(bare.status)
    if (bare.body === null) expect(replay.body).toBeNull()
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

describe('an answer that nobody can send', () => {
  const unsendable: Record<string, (response: Response) => unknown> = {
    'was read already': (response) => response.text(),
    'is being read by somebody else': (response) => response.body?.getReader(),
  }
  it.each(Object.keys(unsendable))('since it %s fails the key at once', async (name) => {
    const attempts: number[] = []
    const { send, heard } = bareHandler(async (_request, { attempt }) => {
      attempts.push(attempt)
      const response = new Response('x', { status: 201 })
      if (attempt === 1) await unsendable[name]?.(response)
      return response
    })
    await expect(send('k')).rejects.toThrow(TypeError)
    expect(heard.names).toEqual(['acquired', 'failed'])
    expect((await send('k')).status).toBe(201)
    expect(isReplay(await send('k'))).toBe(true)
    expect(attempts).toEqual([1, 2])
  })

  it('since a peek at it throws fails the key, and the error goes on', async () => {
    const boom = new Error('boom')
    const peek = () => {
      throw boom
    }
    const { send, heard } = bareHandler(() => new Response('x'), {}, { peek })
    await expect(send('k')).rejects.toBe(boom)
    expect(heard.names).toEqual(['acquired', 'failed'])
  })

  it('leaves a doubt where doubt is not run again', async () => {
    const { send } = bareHandler(
      (request) => {
        const response = new Response('x')
        response.body?.getReader()
        return request && response
      },
      { onDoubt: 'reject' },
    )
    await expect(send('k')).rejects.toThrow(TypeError)
    expect(await (await send('k')).text()).toContain('outcome-unknown')
  })
})
