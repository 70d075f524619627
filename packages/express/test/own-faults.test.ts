import { memoryStore } from '@retrysafe/memory'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { versions } from './versions.js'

for (const [name, express] of versions)
  describe(`what goes wrong in the layer of ${name} itself`, () => {
    it('reaches the error middleware, and the key is free', async () => {
      const once = idempotency({ store: memoryStore(), scope: 'global' })
      const released: unknown[] = []
      once.events.on('released', (detail) => released.push(detail))
      let isBroken = true
      const app = express()
      app.set('env', 'test')
      const breaking: RequestHandler = (_request, response, next) => {
        // Without it nothing can be captured.
        if (isBroken)
          Object.defineProperty(response, 'writeHead', { value: null, configurable: true })
        next()
      }
      const caught: unknown[] = []
      app.post('/', breaking, once, (_request, response) => void response.send('ok'))
      app.use(((error, _request, response, _next) => {
        caught.push(error)
        Reflect.deleteProperty(response, 'writeHead')
        response.status(500).send('caught')
      }) as ErrorRequestHandler)
      const port = await serve(app)
      expect((await exchange(port, { key: 'a' })).body).toBe('caught')
      expect(caught).toHaveLength(1)
      await vi.waitFor(() => expect(released).toHaveLength(1))
      isBroken = false
      expect((await exchange(port, { key: 'a' })).body).toBe('ok')
    })

    it('reaches it also where an answer of its own cannot be sent', async () => {
      const once = idempotency({ store: memoryStore(), scope: 'global', required: true })
      const caught: unknown[] = []
      const response = Object.assign(Object.create(null), {
        headersSent: false,
        setHeader: () => {
          throw new Error('no fields any more')
        },
      })
      const request = { method: 'POST', rawHeaders: [], headers: {}, originalUrl: '/' }
      await new Promise<void>((resolve) => {
        once(request as never, response, (error) => {
          caught.push(error)
          resolve()
        })
      })
      expect(caught).toEqual([new Error('no fields any more')])
    })

    it('is not taken for an error that next() throws: next() is called once', async () => {
      const once = idempotency({ store: memoryStore(), scope: 'global' })
      const calls: unknown[][] = []
      const listeners = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      const thrown = new Promise((resolve) => process.once('uncaughtException', resolve))
      const request = { method: 'GET', rawHeaders: [], headers: {}, originalUrl: '/' }
      once(request as never, {} as never, (...given: unknown[]) => {
        calls.push(given)
        throw new Error('a mistake of the application')
      })
      expect(await thrown).toEqual(new Error('a mistake of the application'))
      for (const listener of listeners) process.on('uncaughtException', listener)
      expect(calls).toEqual([[]])
    })

    it('is an error for Express also where it says nothing', async () => {
      const once = idempotency({
        store: memoryStore(),
        scope: 'global',
        skip: () => Promise.reject(undefined),
      })
      let runs = 0
      const app = express()
      app.set('env', 'test')
      app.post('/', once, (_request, response) => void response.json(++runs))
      expect((await exchange(await serve(app), { key: 'a' })).head).toMatch(/^HTTP\/1.1 500 /)
      expect(runs).toBe(0)
    })
  })
