import { memoryStore } from '@retrysafe/memory'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { versions } from './versions.js'

const layer = () => idempotency({ store: memoryStore(), scope: 'global' })
const isReplay = ({ head }: { readonly head: string }): boolean =>
  head.includes('Idempotent-Replayed: true')

for (const [name, express] of versions)
  describe(`where the layer stands in ${name}`, () => {
    /** Each request twice under one key, and whether the second was a replay. */
    const twice = async (port: number, request: object) => {
      const [first, second] = [await exchange(port, request), await exchange(port, request)]
      expect(isReplay(first)).toBe(false)
      return { first, second, replayed: isReplay(second) }
    }

    it('on a router with parameters, the path is the one that the client sent', async () => {
      const router = express.Router({ mergeParams: true })
      router.use(layer())
      router.post('/:sku', (request, response) => {
        response.json(request.params)
      })
      const app = express()
      app.use('/:tenant/stock', router)
      const port = await serve(app)
      const { second, replayed } = await twice(port, { path: '/a/stock/1', key: 'a' })
      expect(replayed).toBe(true)
      expect(JSON.parse(second.body)).toEqual({ tenant: 'a', sku: '1' })
      for (const path of ['/b/stock/1', '/a/stock/2'])
        expect((await exchange(port, { path, key: 'a' })).head).toContain(' 422 ')
    })

    it('on the application and in a sub-application, with the same options, it is one', async () => {
      const options = { store: memoryStore(), scope: 'global' } as const
      let runs = 0
      const inner = express()
      inner.use(idempotency(options))
      inner.post('/orders', (request, response) => {
        response.json({ runs: ++runs, protected: request.idempotency.protected })
      })
      const app = express()
      app.use(idempotency(options))
      app.use('/shop', inner)
      const { second } = await twice(await serve(app), { path: '/shop/orders', key: 'a' })
      expect(JSON.parse(second.body)).toEqual({ runs: 1, protected: true })
    })

    it('on the whole application, a route that passes on and a later one that answers are one run', async () => {
      const app = express()
      app.use(layer())
      const passing: RequestHandler = (_request, _response, next) => next()
      app.post('/orders', passing, (_request, _response, next) => next('route'))
      app.post('/orders', (_request, response) => {
        response.sendStatus(201)
      })
      expect((await twice(await serve(app), { path: '/orders', key: 'a' })).replayed).toBe(true)
    })

    it('on the whole application, the 404 of Express is not kept, that of a route is', async () => {
      const app = express()
      app.use(layer())
      app.post('/orders', (_request, response) => {
        response.sendStatus(404)
      })
      const router = express.Router()
      router.post('/known', (_request, _response, next) => next())
      app.use('/shop', router)
      const port = await serve(app)
      expect((await twice(port, { path: '/orders', key: 'a' })).replayed).toBe(true)
      expect((await twice(port, { path: '/nothing', key: 'b' })).replayed).toBe(false)
      expect((await twice(port, { path: '/shop/nothing', key: 'c' })).replayed).toBe(false)
    })

    it('a page for unmatched routes that the application gives is an answer of its own, and kept', async () => {
      const app = express()
      app.use(layer())
      app.use((_request, response) => {
        response.status(404).send('Cannot find that')
      })
      expect((await twice(await serve(app), { path: '/nothing', key: 'a' })).replayed).toBe(true)
    })

    it('errors of every kind reach the error middleware as they are', async () => {
      const error = Object.assign(new Error('no stock'), { status: 422 })
      const throwing: Record<string, RequestHandler> = {
        thrown: () => {
          throw error
        },
        'passed to next': (_request, _response, next) => next(error),
        'passed later': (_request, _response, next) => void setImmediate(() => next(error)),
      }
      for (const [way, handler] of Object.entries(throwing)) {
        const caught: unknown[] = []
        const onError: ErrorRequestHandler = (given, _request, response, _next) => {
          caught.push(given)
          response.status(given.status).json({ message: given.message })
        }
        const app = express()
        app.post('/', layer(), handler)
        app.use(onError)
        const { first, replayed } = await twice(await serve(app), { key: 'a' })
        expect(first.body, way).toBe('{"message":"no stock"}')
        expect(replayed, way).toBe(true)
        expect(caught).toEqual([error])
        expect(caught[0]).toBe(error)
      }
    })

    it('an error middleware that answers 5xx leaves the key to run again', async () => {
      const app = express()
      const attempts: number[] = []
      app.post('/', layer(), (request) => {
        attempts.push(request.idempotency.attempt)
        throw new Error('boom')
      })
      const { first, replayed } = await twice(await serve(app), { key: 'a' })
      expect(first.head).toMatch(/^HTTP\/1.1 500 /)
      expect(replayed).toBe(false)
      expect(attempts).toEqual([1, 2])
    })

    it('an error of a callback of the options reaches the error middleware, and nothing runs', async () => {
      const app = express()
      let runs = 0
      const skip = (): boolean => {
        throw new Error('a mistake in skip')
      }
      app.post('/', idempotency({ store: memoryStore(), scope: 'global', skip }), () => {
        runs++
      })
      const { head } = await exchange(await serve(app), { key: 'a' })
      expect(head).toMatch(/^HTTP\/1.1 500 /)
      expect(runs).toBe(0)
    })
  })

describe('records of one store', () => {
  it('are replayed by either version, whichever made them', async () => {
    const store = memoryStore()
    const ports = await Promise.all(
      versions.map(([, express]) => {
        const app = express()
        app.post('/', idempotency({ store, scope: 'global' }), (_request, response) => {
          response.status(201).location('/orders/1').json({ made: true })
        })
        return serve(app)
      }),
    )
    for (const [key, [maker = 0, other = 0]] of Object.entries({
      a: ports,
      b: ports.toReversed(),
    })) {
      const first = await exchange(maker, { key })
      const replay = await exchange(other, { key })
      expect(replay.body).toBe(first.body)
      expect(replay.head).toContain('Location: /orders/1')
      expect(isReplay(replay)).toBe(true)
    }
  })
})
