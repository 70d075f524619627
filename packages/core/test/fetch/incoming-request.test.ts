import { describe, expect, it, vi } from 'vitest'
import { type FetchRequestParts, fetchRequest } from '../../src/fetch/index.js'
import { controlledStream } from './bare-handler.js'

const parts = (
  init: RequestInit & { url?: string; duplex?: 'half' } = {},
): FetchRequestParts<Request> => {
  const { url = 'http://shop/orders', ...rest } = init
  const request = new Request(url, { method: 'POST', ...rest })
  return { native: request, request }
}
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe('the target of a Request', () => {
  it.each([
    ['http://shop/orders?a=1&b=%41', '/orders?a=1&b=%41'],
    ['http://shop/orders?', '/orders?'],
    ['http://shop', '/'],
    ['https://shop:8443/a//b?x=http://c/d', '/a//b?x=http://c/d'],
    ['http://shop/orders#fragment', '/orders'],
  ])('of %s is %s', (url, target) => {
    expect(fetchRequest(parts({ url })).target).toBe(target)
  })

  it('is the one that the binding knows better', () => {
    expect(fetchRequest({ ...parts(), target: '/api/orders' }).target).toBe('/api/orders')
  })
})

describe('the lines of a field', () => {
  it('are one where Headers has joined them', () => {
    const request = parts({
      headers: [
        ['X-Key', 'a'],
        ['X-Key', 'b'],
      ],
    })
    expect(fetchRequest(request).fieldLines('x-key')).toEqual(['a, b'])
    expect(fetchRequest(request).fieldLines('x-none')).toEqual([])
  })

  it('are those that were sent where the server still has them', () => {
    const request = { ...parts({ headers: { 'X-Key': 'a, b' } }), rawLines: () => ['a', 'b'] }
    expect(fetchRequest(request).fieldLines('x-key')).toEqual(['a', 'b'])
  })

  it('are those of the Request where something has changed it since', () => {
    const request = { ...parts({ headers: { 'X-Key': 'other' } }), rawLines: () => ['a', 'b'] }
    expect(fetchRequest(request).fieldLines('x-key')).toEqual(['other'])
  })
})

describe('the body of a Request', () => {
  const ways: Record<string, (request: Request) => Promise<string>> = {
    text: (request) => request.text(),
    json: async (request) => JSON.stringify(await request.json()),
    arrayBuffer: async (request) => text(new Uint8Array(await request.arrayBuffer())),
    body: async (request) => new Response(request.body).text(),
    clone: (request) => request.clone().text(),
    'another Request': (request) => new Request('http://other/', request).text(),
  }
  it.each(Object.keys(ways))('is readable behind the layer by %s', async (way) => {
    const read = ways[way] as (request: Request) => Promise<string>
    for (const headers of [{}, { 'content-length': '7' }]) {
      const incoming = fetchRequest(parts({ body: '{"a":1}', headers }))
      const body = await incoming.readBody(7)
      expect(body.kind === 'bytes' && text(body.bytes)).toBe('{"a":1}')
      expect(await read(incoming.request)).toBe('{"a":1}')
    }
  })

  it('is known again at a second mount, also when a handler in between has read it', async () => {
    const first = fetchRequest(parts({ body: 'once' }))
    await first.readBody(10)
    await first.request.text()
    const second = fetchRequest({ native: first.request, request: first.request })
    expect(second.carrier).toBe(first.carrier)
    const body = await second.readBody(10)
    expect(body.kind === 'bytes' && text(body.bytes)).toBe('once')
    expect(await second.readBody(3)).toEqual({ kind: 'too-large' })
  })

  it('is empty where there is none, and where there is nothing in it', async () => {
    expect(await fetchRequest(parts()).readBody(10)).toEqual({ kind: 'empty' })
    expect(await fetchRequest(parts({ body: '' })).readBody(10)).toEqual({ kind: 'empty' })
    const declared = parts({ headers: { 'content-length': '0' } })
    expect(await fetchRequest(declared).readBody(10)).toEqual({ kind: 'empty' })
  })

  it('is consumed where somebody has read it, or is about to', async () => {
    for (const headers of [{}, { 'content-length': '1' }]) {
      const read = parts({ body: 'x', headers })
      await read.request.text()
      expect(await fetchRequest(read).readBody(10)).toEqual({ kind: 'consumed' })
      const locked = parts({ body: 'x', headers })
      locked.request.body?.getReader()
      expect(await fetchRequest(locked).readBody(10)).toEqual({ kind: 'consumed' })
    }
  })

  it('is there where the fields of another request say that there is none', async () => {
    const body = await fetchRequest(
      parts({ body: 'x', headers: { 'content-length': '0' } }),
    ).readBody(10)
    expect(body.kind === 'bytes' && text(body.bytes)).toBe('x')
    const read = parts({ body: '', headers: { 'content-length': '0' } })
    await read.request.text()
    expect(await fetchRequest(read).readBody(10)).toEqual({ kind: 'empty' })
  })

  it('is too large without a look at it where its length says so', async () => {
    const { stream, pulls } = controlledStream()
    const request = parts({ body: stream, duplex: 'half', headers: { 'content-length': '11' } })
    expect(await fetchRequest(request).readBody(10)).toEqual({ kind: 'too-large' })
    expect(pulls()).toBe(0)
  })

  it('is read no further than the limit, and its rest only when that is asked for', async () => {
    const chunk = Buffer.alloc(4)
    let given = 0
    const endless = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          if (given++ === 8) controller.close()
          else controller.enqueue(chunk)
        },
      },
      { highWaterMark: 0 },
    )
    const incoming = fetchRequest(parts({ body: endless, duplex: 'half' }))
    expect(incoming.readRest).toBeUndefined()
    expect(await incoming.readBody(10)).toEqual({ kind: 'too-large' })
    expect(given).toBe(3)
    await incoming.readRest?.()
    expect(given).toBe(9)
  })

  it('is not waited for to the end where the rest is larger than can be borne', async () => {
    const chunk = new Uint8Array(1024 * 1024)
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(chunk),
      cancel: () => {
        cancelled = true
      },
    })
    const incoming = fetchRequest(parts({ body: endless, duplex: 'half' }))
    await incoming.readBody(10)
    await incoming.readRest?.()
    expect(cancelled).toBe(true)
  })

  it('rejects when the client goes in the middle', async () => {
    const { stream, give, fail } = controlledStream()
    const reading = fetchRequest(parts({ body: stream, duplex: 'half' })).readBody(10)
    give('half')
    fail(new Error('gone'))
    await expect(reading).rejects.toThrow('gone')
  })
})

describe('a client that goes away', () => {
  it('is heard of once', async () => {
    const abort = new AbortController()
    const heard = vi.fn()
    fetchRequest(parts({ signal: abort.signal })).whenGone(heard)
    expect(heard).not.toHaveBeenCalled()
    abort.abort()
    abort.abort()
    expect(heard).toHaveBeenCalledTimes(1)
  })

  it('is heard of where it has gone before, and not by who has ceased to listen', async () => {
    const gone = fetchRequest(parts({ signal: AbortSignal.abort() }))
    const [heard, deaf] = [vi.fn(), vi.fn()]
    gone.whenGone(heard)
    gone.whenGone(deaf)()
    await Promise.resolve()
    expect(heard).toHaveBeenCalledTimes(1)
    expect(deaf).not.toHaveBeenCalled()
  })

  it('costs no signal where nobody asks', async () => {
    const request = parts({ body: 'x' })
    const signal = vi.spyOn(request.request, 'signal', 'get')
    await fetchRequest(request).readBody(10)
    const asked = signal.mock.calls.length
    fetchRequest(request)
    expect(signal.mock.calls.length).toBe(asked)
  })
})
