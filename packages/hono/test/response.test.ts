import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono } from 'hono'
import { setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import { stream, streamSSE, streamText } from 'hono/streaming'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'

const source = (...texts: string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const text of texts) controller.enqueue(Buffer.from(text))
      controller.close()
    },
  })

/** What handlers answer, in every way that Hono has. */
const handlers: Record<string, (c: Context) => Response | Promise<Response>> = {
  text: (c) => c.text('caf\u00e9'),
  'text with a status and fields': (c) => c.text('x', 201, { 'X-One': '1', 'X-Many': ['1', '2'] }),
  json: (c) => c.json({ a: 1 }, 422),
  html: (c) => c.html('<p>x</p>'),
  'no body': (c) => c.body(null, 202),
  'a 204': (c) => c.body(null, 204),
  'an empty text': (c) => c.body(''),
  bytes: (c) => c.body(Uint8Array.of(0, 255, 13, 10)),
  'bytes without a media type, and a field': (c) => c.body('x', 200, { 'X-One': '1' }),
  'an array buffer': (c) => c.body(Uint8Array.of(1, 2, 3).buffer),
  redirect: (c) => c.redirect('/orders/1', 303),
  'a 404 of its own': (c) => c.notFound(),
  'header and status set by themselves': (c) => {
    c.status(201)
    c.header('X-One', '1')
    c.header('Link', '<a>')
    c.header('Link', '<b>', { append: true })
    return c.body('x')
  },
  cookies: (c) => {
    setCookie(c, 'a', '1', { expires: new Date(0) })
    setCookie(c, 'b', '2')
    return c.json({})
  },
  'a Response': () => new Response('x', { status: 201, headers: { 'Content-Type': 'text/csv' } }),
  'a Response of a record without fields': () => new Response('x'),
  'a Response of JSON': () => Response.json({ a: 1 }),
  'a Response of a blob': () => new Response(new Blob(['blob'], { type: 'image/png' })),
  'a Response of a form': () => new Response(new URLSearchParams({ a: '1' })),
  'a redirection whose fields cannot be changed': () => Response.redirect('http://shop/1', 307),
  'a Response that is set on the context': (c) => {
    c.res = new Response('x', { headers: { 'X-One': '1' } })
    return c.res
  },
  'an error with a status': () => {
    throw new HTTPException(422, { message: 'no stock' })
  },
  'an error with a response': () => {
    throw new HTTPException(409, { res: new Response('own', { headers: { 'X-One': '1' } }) })
  },
  'a stream that is whole at once': (c) => c.body(source('one ', 'two ')),
  'a stream without a media type, and a field': (c) => c.body(source('x'), 200, { 'X-One': '1' }),
  'a stream with its length': (c) => c.body(source('one '), 200, { 'Content-Length': '4' }),
  'stream()': (c) =>
    stream(c, async (out) => {
      await out.write('one ')
      await out.sleep(5)
      await out.write('two ')
    }),
  'streamText()': (c) =>
    streamText(c, async (out) => {
      await out.writeln('one')
      await out.sleep(5)
      await out.writeln('two')
    }),
  'streamText() in one turn': (c) => streamText(c, async (out) => void (await out.write('one'))),
}

const typeOf = ({ head }: { head: string }) => /\ncontent-type: (.*)/.exec(head)?.[1]

const served = (handler: (c: Context) => Response | Promise<Response>, isProtected: boolean) => {
  const app = new Hono()
  if (isProtected) app.use(idempotency({ store: memoryStore(), scope: 'global' }))
  app.on(['POST', 'GET'], ['/'], handler)
  return serve(app)
}

describe('a response of Hono behind the layer is what it is without', () => {
  for (const [what, handler] of Object.entries(handlers))
    it(what, async () => {
      const plain = await served(handler, false)
      const bare = await exchange(plain, { key: 'a' })
      const port = await served(handler, true)
      expect(await exchange(port, { key: 'a' })).toEqual(bare)
      const again = await exchange(port, { key: 'a' })
      expect(again.body).toBe(bare.body)
      expect(typeOf(again)).toBe(typeOf(bare))
      if (!bare.head.includes(' 409 ')) expect(again.head).toContain('idempotent-replayed: true')
      expect(await exchange(port)).toEqual(bare)
      const head = { method: 'HEAD', key: 'a' }
      expect(await exchange(port, head)).toEqual(await exchange(plain, head))
    })

  it('streamSSE(), which is not kept', async () => {
    const handler = (c: Context) =>
      streamSSE(c, async (out) => {
        await out.writeSSE({ data: 'one' })
        await out.sleep(5)
        await out.writeSSE({ data: 'two', id: '2' })
      })
    // It asks for a connection that is kept.
    const ask = async (port: number) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        method: 'POST',
        headers: { 'Idempotency-Key': 'a' },
      })
      const { date: _, ...headers } = Object.fromEntries(response.headers)
      return { status: response.status, headers, body: await response.text() }
    }
    const bare = await ask(await served(handler, false))
    const port = await served(handler, true)
    expect(await ask(port)).toEqual(bare)
    expect((await ask(port)).body).toContain('response-not-stored')
  })
})

describe('a source of Hono that heeds back-pressure', () => {
  it('is asked for more only as the client reads', async () => {
    const chunk = Buffer.alloc(256 * 1024, 'x')
    let given = 0
    const port = await served(
      (c) =>
        c.body(
          new ReadableStream({
            pull: async (controller) => {
              await new Promise(setImmediate)
              if (given++ === 40) controller.close()
              else controller.enqueue(chunk)
            },
          }),
        ),
      true,
    )
    const { body } = await exchange(port, { key: 'a' })
    expect(body.length).toBe(40 * chunk.length)
  })
})
