import { connect } from 'node:net'
import { memoryStore } from '@retrysafe/memory'
import type { Request, RequestHandler, Response } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { versions } from './versions.js'

const gate = () => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

for (const [name, express] of versions) {
  /** The record of an answer is kept waiting until the gate opens. */
  const opened = async (handler: (request: Request, response: Response) => unknown) => {
    const store = memoryStore()
    const stored = gate()
    const asked = gate()
    const once = idempotency({
      store: {
        ...store,
        complete: async (...given) => {
          asked.open()
          await stored.opened
          return store.complete(...given)
        },
      },
      scope: 'global',
      maxStoredBody: 32_000_000,
    })
    const app = express()
    app.set('env', 'test')
    const route: RequestHandler = (request, response, next) => {
      try {
        handler(request, response)
      } catch (error) {
        next(error)
      }
    }
    app.post('/', once, route)
    app.get('/', (_request, response) => void response.send('next'))
    return { port: await serve(app), stored, asked: asked.opened }
  }

  describe(`an error that comes after the answer in ${name}`, () => {
    const cuts: Record<string, (request: Request, response: Response) => void> = {
      'is thrown': () => {
        throw new Error('too late')
      },
      'destroys the response': (_request, response) => void response.destroy(),
    }
    for (const [how, cut] of Object.entries(cuts))
      it(`and ${how} cuts the connection when the answer has left`, async () => {
        const { port, stored, asked } = await opened((request, response) => {
          response.status(201).json({ order: 1 })
          cut(request, response)
        })
        // Without `Connection: close`: it is the error that ends the connection.
        const answered = exchange(port, { key: 'a', headers: { Connection: 'keep-alive' } })
        await asked
        stored.open()
        const first = await answered
        expect(first.head).toContain('201 Created')
        expect(first.body).toBe('{"order":1}')
        const replay = await exchange(port, { key: 'a' })
        expect(replay.head).toContain('Idempotent-Replayed: true')
      })

    it('waits for the end of an answer that the client takes its time to read', async () => {
      // More than a connection takes at once.
      const body = 'x'.repeat(16_000_000)
      const { port, stored, asked } = await opened((_request, response) => {
        response.send(body)
        throw new Error('too late')
      })
      const answered = exchange(port, { key: 'a', headers: { Connection: 'keep-alive' } })
      await asked
      stored.open()
      expect((await answered).body.length).toBe(body.length)
    })
  })

  describe(`while an answer of ${name} is held`, () => {
    it('a client that goes away is seen at once', async () => {
      let hasClosed = false
      const { port, stored, asked } = await opened((request, response) => {
        request.socket.once('close', () => {
          hasClosed = true
        })
        response.json({ order: 1 })
      })
      const socket = connect(port, '127.0.0.1')
      socket.write('POST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\n\r\n')
      await asked
      socket.end()
      await vi.waitFor(() => expect(hasClosed).toBe(true))
      stored.open()
      await vi.waitFor(async () =>
        expect((await exchange(port, { key: 'a' })).head).toContain('Idempotent-Replayed: true'),
      )
    })

    it('a connection that breaks is seen at once', async () => {
      let hasClosed = false
      const { port, stored, asked } = await opened((request, response) => {
        request.socket.once('close', () => {
          hasClosed = true
        })
        response.json({ order: 1 })
      })
      const socket = connect(port, '127.0.0.1')
      socket.write('POST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\n\r\n')
      await asked
      socket.resetAndDestroy()
      await vi.waitFor(() => expect(hasClosed).toBe(true))
      stored.open()
    })

    it('the next answer of the pipeline waits for it, and the connection serves on', async () => {
      const destroys: unknown[] = []
      const { port, stored, asked } = await opened((request, response) => {
        response.json({ order: 1 })
        destroys.push(Object.hasOwn(request.socket, 'destroy'), request.socket)
      })
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.on('data', (chunk) => {
        received += chunk
      })
      socket.write(
        'POST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\n\r\nGET / HTTP/1.1\r\nHost: shop\r\n\r\n',
      )
      await asked
      stored.open()
      await vi.waitFor(() => expect(received).toMatch(/order[\s\S]*next$/))
      socket.write('GET / HTTP/1.1\r\nHost: shop\r\n\r\n')
      await vi.waitFor(() => expect(received).toMatch(/order[\s\S]*next[\s\S]*next$/))
      // The connection is again what it was.
      expect(destroys[0]).toBe(true)
      expect(Object.hasOwn(destroys[1] as object, 'destroy')).toBe(false)
      socket.destroy()
    })

    it('an answer that is second in the pipeline is not in the way of the first', async () => {
      const store = memoryStore()
      const stored = gate()
      const asked = gate()
      const going = gate()
      const once = idempotency({
        store: {
          ...store,
          complete: async (...given) => {
            asked.open()
            await stored.opened
            return store.complete(...given)
          },
        },
        scope: 'global',
      })
      const app = express()
      app.get('/', (_request, response) => {
        response.write('first')
        void going.opened.then(() => response.destroy())
      })
      app.post('/', once, (_request, response) => void response.json({ order: 1 }))
      const socket = connect(await serve(app), '127.0.0.1')
      const closed = new Promise((resolve) => socket.once('close', resolve))
      socket.resume()
      socket.write(
        'GET / HTTP/1.1\r\nHost: shop\r\n\r\nPOST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\n\r\n',
      )
      await asked.opened
      going.open()
      await closed
      stored.open()
    })
  })
}
