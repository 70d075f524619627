import Router from '@koa/router'
import { memoryStore } from '@retrysafe/memory'
import type { Context, Middleware } from 'koa'
import { describe, expect, it, vi } from 'vitest'
import { exchange, serve } from '../../express/test/exchange.js'
import { idempotency } from '../src/index.js'
import { isReplay, layer, serveApplication, serveChain } from './application.js'
import { versions } from './versions.js'

/** Each request twice under one key, and whether the second was a replay. */
const twice = async (port: number, request: object) => {
  const [first, second] = [await exchange(port, request), await exchange(port, request)]
  expect(isReplay(first)).toBe(false)
  return { first, second, replayed: isReplay(second) }
}

for (const [name, Koa] of versions) {
  describe(`where the layer stands in ${name}`, () => {
    it('in a router in a router, the path is the one that the client sent', async () => {
      const inner = new Router()
      inner.post('/:sku', layer(), (ctx) => {
        ctx.body = ctx.params
      })
      const outer = new Router()
      outer.use('/:tenant/stock', inner.routes())
      const port = await serveApplication(Koa, (app) => app.use(outer.routes() as Middleware))
      const { second, replayed } = await twice(port, { path: '/a/stock/1?x=1', key: 'a' })
      expect(replayed).toBe(true)
      expect(JSON.parse(second.body)).toEqual({ tenant: 'a', sku: '1' })
      for (const path of ['/b/stock/1?x=1', '/a/stock/2?x=1', '/a/stock/1?x=2'])
        expect((await exchange(port, { path, key: 'a' })).head).toContain(' 422 ')
    })

    it('under a mount that shortens the path, it is the one that the client sent', async () => {
      // As koa-mount does it.
      const shortened: Middleware = async (ctx, next) => {
        const { path } = ctx
        ctx.path = path.slice(2)
        await next()
        ctx.path = path
      }
      const shown: Middleware = (ctx) => {
        ctx.body = ctx.path
      }
      const port = await serveChain(Koa, shortened, layer(), shown)
      const { first, replayed } = await twice(port, { path: '/a/orders', key: 'a' })
      expect([first.body, replayed]).toEqual(['/orders', true])
      expect((await exchange(port, { path: '/b/orders', key: 'a' })).head).toContain(' 422 ')
    })

    it('inside of an application that mounts Koa as Express does, the path is the full one', async () => {
      const app = new Koa()
      app.use(layer()).use((ctx) => {
        ctx.body = ctx.path
      })
      const callback = app.callback()
      const port = await serve((request, response) => {
        Object.assign(request, { originalUrl: request.url, url: request.url?.slice(2) })
        void callback(request, response)
      })
      await exchange(port, { path: '/a/orders', key: 'a' })
      expect((await exchange(port, { path: '/b/orders', key: 'a' })).head).toContain(' 422 ')
    })

    it('on the application and on a route, with the same options, it is one', async () => {
      const options = { store: memoryStore(), scope: 'global' } as const
      let runs = 0
      const router = new Router()
      router.post('/', idempotency(options), (ctx) => {
        ctx.body = { runs: ++runs, protected: ctx.state.idempotency.protected }
      })
      const port = await serveApplication(Koa, (app) =>
        app.use(idempotency(options)).use(router.routes() as Middleware),
      )
      const { second, replayed } = await twice(port, { key: 'a' })
      expect(replayed).toBe(true)
      expect(JSON.parse(second.body)).toEqual({ runs: 1, protected: true })
    })

    it('on the application and on a route, a request without a key passes both', async () => {
      const ok: Middleware = (ctx) => {
        ctx.body = ctx.state.idempotency.protected
      }
      const port = await serveChain(Koa, layer(), layer(), ok)
      expect((await exchange(port)).body).toBe('false')
    })

    it('errors of every kind reach the middleware in front as they are', async () => {
      const error = Object.assign(new Error('no stock'), { status: 422 })
      const caught: unknown[] = []
      const catching: Middleware = async (ctx, next) => {
        try {
          await next()
        } catch (given) {
          caught.push(given)
          ctx.status = 422
          ctx.body = { message: (given as Error).message }
        }
      }
      const throwing: Middleware = () => {
        throw error
      }
      const { first, replayed } = await twice(await serveChain(Koa, catching, layer(), throwing), {
        key: 'a',
      })
      expect(first.body).toBe('{"message":"no stock"}')
      expect(replayed).toBe(true)
      expect(caught).toEqual([error])
      expect(caught[0]).toBe(error)
    })

    it('an error of a callback of the options reaches Koa, and nothing runs', async () => {
      let runs = 0
      const skip = (): boolean => {
        throw new Error('a mistake in skip')
      }
      const executions: unknown[] = []
      const inFront: Middleware = async (ctx, next) => {
        await next().finally(() => executions.push(ctx.state.idempotency.protected))
      }
      const port = await serveChain(Koa, inFront, layer({ skip }), () => {
        runs++
      })
      expect((await exchange(port, { key: 'a' })).head).toMatch(/^HTTP\/1.1 500 /)
      expect(runs).toBe(0)
      expect(executions).toEqual([false])
    })

    it('a response that cannot be captured is an error, and its key is free', async () => {
      const once = layer()
      const released: unknown[] = []
      once.events.on('released', (detail) => released.push(detail))
      const sealed: Middleware = (ctx, next) => {
        if (released.length === 0) Object.defineProperty(ctx.res, 'writeHead', { value: null })
        return next()
      }
      const ok: Middleware = (ctx) => {
        ctx.body = 'ok'
      }
      const caught: unknown[] = []
      const catching: Middleware = (ctx, next) =>
        next().catch((error) => {
          caught.push(error)
          Reflect.deleteProperty(ctx.res, 'writeHead')
          ctx.res.destroy()
        })
      const port = await serveChain(Koa, catching, sealed, once, ok)
      await exchange(port, { key: 'a' }).catch(() => undefined)
      await vi.waitFor(() => expect(released).toHaveLength(1))
      expect(caught).toHaveLength(1)
      expect((await exchange(port, { key: 'a' })).body).toBe('ok')
    })
  })

  describe(`a 404 in ${name}`, () => {
    const kept: Record<string, (ctx: Context) => unknown> = {
      'with a status': (ctx) => {
        ctx.status = 404
      },
      'with a status and a body': (ctx) => {
        ctx.status = 404
        ctx.body = { code: 'unknown-sku' }
      },
      'that is thrown': (ctx) => ctx.throw(404, 'unknown sku'),
      'written past Koa': (ctx) => {
        ctx.respond = false
        ctx.res.statusCode = 404
        ctx.res.end('unknown sku')
      },
      'written past Koa, which is not told': (ctx) => {
        ctx.res.end('unknown sku')
      },
    }
    for (const [how, handler] of Object.entries(kept))
      it(`of a handler, ${how}, is kept`, async () => {
        const { first, replayed } = await twice(await serveChain(Koa, layer(), handler), {
          key: 'a',
        })
        expect(first.head).toContain('404 Not Found')
        expect(replayed).toBe(true)
      })

    const page: Middleware = async (ctx, next) => {
      await next()
      if (ctx.status !== 404 || ctx.body) return
      ctx.status = 404
      ctx.body = 'no such page'
    }
    const router = new Router()
    router.post('/orders', (ctx) => {
      ctx.body = 'ok'
    })
    const routes = router.routes() as Middleware

    it('of Koa itself leaves no record', async () => {
      const port = await serveChain(Koa, layer(), routes)
      const { first, replayed } = await twice(port, { path: '/nothing', key: 'a' })
      expect(first.body).toBe('Not Found')
      expect(replayed).toBe(false)
      expect((await exchange(port, { path: '/orders', key: 'a' })).body).toBe('ok')
    })

    it('that a page in front of the layer makes for unmatched routes leaves none', async () => {
      const port = await serveChain(Koa, page, layer(), routes)
      const { first, replayed } = await twice(port, { path: '/nothing', key: 'a' })
      expect([first.body, replayed]).toEqual(['no such page', false])
    })

    it('that a page behind the layer makes is an answer of the application, and kept', async () => {
      const port = await serveChain(Koa, layer(), page, routes)
      expect((await twice(port, { path: '/nothing', key: 'a' })).replayed).toBe(true)
    })
  })
}

describe('records of one store', () => {
  it('are replayed by either version, whichever made them', async () => {
    const store = memoryStore()
    const made: Middleware = (ctx) => {
      ctx.status = 201
      ctx.set('Location', '/orders/1')
      ctx.body = { made: true }
    }
    const ports = await Promise.all(
      versions.map(([, Koa]) => serveChain(Koa, idempotency({ store, scope: 'global' }), made)),
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
