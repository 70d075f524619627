import { memoryStore } from '@retrysafe/memory'
import type { ErrorRequestHandler } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { versions } from './versions.js'

describe.each(versions)(
  'Something in front of the layer of %s that answers first',
  (_name, express) => {
    const shop = async (key: string) => {
      const store = memoryStore()
      let answerFirst = true
      let runs = 0
      let answered = (): void => {}
      const isAnswered = new Promise<void>((resolve) => {
        answered = resolve
      })
      const once = idempotency({
        // The claim comes back when the client has had its answer.
        store: {
          ...store,
          acquire: async (claim) => {
            const acquisition = await store.acquire(claim)
            if (answerFirst) await isAnswered
            return acquisition
          },
        },
        scope: 'global',
      })
      const released: unknown[] = []
      once.events.on('released', (detail) => released.push(detail))
      const app = express()
      app.use((_request, response, next) => {
        next()
        if (answerFirst) response.status(503).end('late')
      })
      app.post('/', once, (_request, response) => {
        response.status(201).json({ runs: ++runs })
      })
      const errors: unknown[] = []
      const onError: ErrorRequestHandler = (error, _request, _response, _next) => {
        errors.push(error)
      }
      app.use(onError)
      const port = await serve(app)
      const first = await exchange(port, { key })
      answered()
      return {
        first,
        released,
        errors,
        runs: () => runs,
        again: () => {
          answerFirst = false
          return exchange(port, { key })
        },
      }
    }

    it('keeps the handler from running, and frees the key', async () => {
      const { first, released, runs, again } = await shop('a')
      expect(first.head).toContain('503')
      await vi.waitFor(() => expect(released).toHaveLength(1))
      expect(runs()).toBe(0)
      expect((await again()).head).toContain('201')
    })

    it('is not disturbed by a refusal of ours that comes too late', async () => {
      const { first, errors } = await shop('two words')
      expect(first.body).toBe('late')
      expect(errors).toEqual([])
    })
  },
)

describe.each(versions)('An answer that has been given through %s', (_name, express) => {
  it('leaves as it was given, whatever is done to status and buffer afterwards', async () => {
    const app = express()
    app.post('/', idempotency({ store: memoryStore(), scope: 'global' }), (_request, response) => {
      const buffer = Buffer.from('payload')
      response.status(201).end(buffer)
      response.status(500)
      buffer.fill('x')
    })
    const port = await serve(app)
    const first = await exchange(port, { key: 'a' })
    expect(first.head).toContain('201 Created')
    expect(first.body).toBe('payload')
    expect((await exchange(port, { key: 'a' })).body).toBe('payload')
  })

  it('is judged by its status also where that was set as text', async () => {
    let runs = 0
    const app = express()
    app.post('/', idempotency({ store: memoryStore(), scope: 'global' }), (_request, response) => {
      runs++
      Object.assign(response, { statusCode: '429' })
      response.end()
    })
    const port = await serve(app)
    await exchange(port, { key: 'a' })
    await exchange(port, { key: 'a' })
    expect(runs).toBe(2)
  })

  it('is refused to the handler where its reason phrase is none of HTTP', async () => {
    const app = express()
    app.post('/', idempotency({ store: memoryStore(), scope: 'global' }), (_request, response) => {
      response.writeHead(201, 'bad\nreason').end('x')
    })
    expect((await exchange(await serve(app), { key: 'a' })).head).toContain('500')
  })

  it('is not given again without protection once the layer is closed', async () => {
    let runs = 0
    const once = idempotency({
      store: memoryStore(),
      scope: 'global',
      onStoreDown: 'run-unprotected',
    })
    const app = express()
    app.post('/', once, (_request, response) => response.json({ runs: ++runs }))
    const port = await serve(app)
    await exchange(port, { key: 'a' })
    await once.close()
    expect((await exchange(port, { key: 'a' })).head).toContain('503')
    expect(runs).toBe(1)
  })
})
