import { memoryStore } from '@retrysafe/memory'
import { Hono } from 'hono'
import { streamText } from 'hono/streaming'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type HonoOptions, idempotency } from '../src/index.js'

const store = memoryStore()
let keys = 0
afterEach(() => void keys++)

const layer = (options: Partial<HonoOptions> = {}) =>
  idempotency({ store, scope: 'global', ...options })

const ask = (app: Hono, body = '', path = '/', headers = {}) =>
  app.request(path, {
    method: 'POST',
    headers: { 'Idempotency-Key': `key-${keys}`, ...headers },
    ...(body !== '' && { body }),
  })
const isReplay = (response: Response) => response.headers.get('Idempotent-Replayed') === 'true'

describe('app.request(), where there is no server', () => {
  it('runs once and replays', async () => {
    let runs = 0
    const app = new Hono()
    app.post('/', layer(), async (c) => c.json({ runs: ++runs, body: await c.req.json() }, 201))
    const first = await ask(app, '{"a":1}')
    const replay = await ask(app, '{"a":1}')
    expect([first.status, isReplay(first)]).toEqual([201, false])
    expect([replay.status, isReplay(replay)]).toEqual([201, true])
    expect(await first.text()).toBe('{"runs":1,"body":{"a":1}}')
    expect(await replay.text()).toBe('{"runs":1,"body":{"a":1}}')
    expect((await ask(app, '{"a":2}')).status).toBe(422)
  })

  it('bounds the body, and leaves it to the handler in every way', async () => {
    const app = new Hono()
    app.post('/', layer({ maxRequestBody: 7 }), async (c) => {
      const copy = await c.req.raw.clone().text()
      return c.json([copy, await c.req.text(), await c.req.json()])
    })
    expect(await (await ask(app, '{"a":1}')).json()).toEqual(['{"a":1}', '{"a":1}', { a: 1 }])
    const refused = await ask(app, '{"a":10}')
    expect(refused.status).toBe(413)
    expect(await refused.json()).toMatchObject({ code: 'body-too-large' })
  })

  it('tells a body that somebody else has read', async () => {
    const app = new Hono()
    app.use(async (c, next) => {
      await c.req.raw.text()
      await next()
    })
    app.post('/', layer(), (c) => c.text('x'))
    expect(await (await ask(app, 'x')).json()).toMatchObject({ code: 'body-consumed' })
  })

  it('refuses two keys, which Headers has joined', async () => {
    const app = new Hono()
    app.post('/', layer(), (c) => c.text('x'))
    const headers = new Headers([
      ['Idempotency-Key', 'a'],
      ['Idempotency-Key', 'b'],
    ])
    expect((await app.request('/', { method: 'POST', headers })).status).toBe(400)
  })

  it('streams, and replays what it has streamed', async () => {
    const app = new Hono()
    app.post('/', layer(), (c) =>
      streamText(c, async (out) => {
        await out.write('one ')
        await out.sleep(5)
        await out.write('two ')
      }),
    )
    expect(await (await ask(app)).text()).toBe('one two ')
    const replay = await ask(app)
    expect([isReplay(replay), await replay.text()]).toEqual([true, 'one two '])
  })

  it('passes what needs no protection as it is', async () => {
    const given = new Response('x')
    const app = new Hono()
    app.on(['GET', 'POST'], '/', layer(), () => given)
    expect(await app.request('/', { headers: { 'Idempotency-Key': 'k' } })).toBe(given)
    expect(await app.request('/', { method: 'POST' })).toBe(given)
  })

  it('takes the full path of a sub-application for the one that counts', async () => {
    const sub = new Hono()
    sub.post('/orders', layer(), (c) => c.text('x'))
    const app = new Hono().route('/a', sub).route('/b', sub)
    expect((await ask(app, '', '/a/orders')).status).toBe(200)
    expect((await ask(app, '', '/b/orders')).status).toBe(422)
  })

  it('reads an answer to its end where its client has gone before it began', async () => {
    const gone = new AbortController()
    let runs = 0
    const once = layer()
    const completed = vi.fn()
    once.events.on('completed', completed)
    const app = new Hono()
    app.post('/', once, (c) => {
      runs++
      gone.abort()
      return streamText(c, async (out) => {
        await out.sleep(5)
        await out.write('late')
      })
    })
    await app.request('/', {
      method: 'POST',
      headers: { 'Idempotency-Key': `key-${keys}` },
      signal: gone.signal,
    })
    expect(completed).toHaveBeenCalledTimes(1)
    expect(await (await ask(app)).text()).toBe('late')
    expect(runs).toBe(1)
  })
})
