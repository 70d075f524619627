import { connect } from 'node:net'
import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono } from 'hono'
import { compress } from 'hono/compress'
import { stream } from 'hono/streaming'
import { describe, expect, it, vi } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'

const chunks = Array.from({ length: 8 }, (_, at) => Buffer.alloc(64 * 1024, `${at}`))
const text = Buffer.concat(chunks).toString()

/** Each chunk in a turn of its own, so that it is a stream and not an answer in one piece. */
const source = (): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream({
    pull: async (controller) => {
      await new Promise(setImmediate)
      const chunk = chunks[at++]
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
  })
}

const ways: Record<string, (c: Context) => Response> = {
  'c.body() of a stream': (c) => c.body(source()),
  'stream()': (c) =>
    stream(c, async (out) => {
      for (const chunk of chunks) {
        await out.write(chunk)
        await out.sleep(1)
      }
    }),
  'stream() that pipes': (c) => stream(c, (out) => out.pipe(source())),
}

const opened = async (handler: (c: Context) => Promise<Response>) => {
  const once = idempotency({ store: memoryStore(), scope: 'global' })
  const told: string[] = []
  for (const event of ['completed', 'failed'] as const)
    once.events.on(event, () => told.push(event))
  const app = new Hono()
  app.use('/packed', compress())
  app.post('/*', once, handler)
  return { port: await serve(app), told }
}

/** A client that sends its request, and goes when it is told to. */
const goingClient = (port: number, path: string) => {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: k\r\nAccept-Encoding: gzip\r\n\r\n`,
  )
  return { go: () => socket.destroy() }
}

describe('a client of Hono that goes before its answer begins', () => {
  for (const path of ['/', '/packed'])
    it.each(Object.keys(ways))(`finds all of it on retry: ${path} %s`, async (way) => {
      let isGone = (): void => {}
      const gone = new Promise<void>((resolve) => {
        isGone = resolve
      })
      let runs = 0
      const { port, told } = await opened(async (c) => {
        runs++
        c.req.raw.signal.addEventListener('abort', isGone)
        client.go()
        await gone
        return ways[way]?.(c) as Response
      })
      const client = goingClient(port, path)
      await vi.waitFor(() => expect(told).toEqual(['completed']))
      const retry = await exchange(port, { key: 'k', path })
      expect(retry.head).toContain('idempotent-replayed: true')
      expect(retry.body).toBe(text)
      expect(runs).toBe(1)
    })
})

describe('a source in Hono that fails before anything has left', () => {
  it('is an error like another, and the key may run again at once', async () => {
    let runs = 0
    const errors: unknown[] = []
    const app = new Hono()
    app.onError((error, c) => {
      errors.push(error)
      return c.text('own', 500)
    })
    app.post('/', idempotency({ store: memoryStore(), scope: 'global' }), (c) => {
      c.header('Location', '/orders/1')
      if (++runs > 1) return c.text('x', 201)
      const failed = new ReadableStream({ start: (control) => control.error(new Error('failed')) })
      return c.body(failed)
    })
    const port = await serve(app)
    const first = await exchange(port, { key: 'k' })
    expect(first.head).toContain('500')
    expect(first.body).toBe('own')
    expect(errors).toMatchObject([{ message: 'failed' }])
    expect((await exchange(port, { key: 'k' })).head).toContain('201')
  })
})

describe('an answer in Hono that is replaced by what stands', () => {
  it('leaves nothing of itself, and keeps what was set in front', async () => {
    const store = memoryStore()
    const app = new Hono()
    app.use(async (c, next) => {
      c.header('X-Outer', '1')
      await next()
    })
    const once = idempotency({
      store: { ...store, complete: async () => 'stale' },
      scope: 'global',
    })
    app.post('/', once, (c) => {
      c.header('X-Inner', '1')
      return c.text('dropped', 201)
    })
    const { head, body } = await exchange(await serve(app), { key: 'k' })
    expect(head).toContain('409')
    expect(head).toContain('x-outer: 1')
    expect(head).not.toContain('x-inner')
    expect(body).not.toContain('dropped')
  })
})
