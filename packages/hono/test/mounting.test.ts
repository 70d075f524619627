import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono } from 'hono'
import { every } from 'hono/combine'
import { HTTPException } from 'hono/http-exception'
import { logger } from 'hono/logger'
import { methodOverride } from 'hono/method-override'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HonoOptions, idempotency } from '../src/index.js'
import { exchange, type Sent, serve } from './exchange.js'

let store: ReturnType<typeof memoryStore>
let told: string[]

beforeEach(() => {
  store = memoryStore()
  told = []
})
afterEach(() => store.close())

const layer = (options: Partial<HonoOptions> = {}) => {
  const once = idempotency({ store, scope: 'global', ...options })
  for (const event of ['acquired', 'completed', 'failed', 'released'] as const)
    once.events.on(event, () => told.push(event))
  return once
}
const codeOf = async (problem: Response) => ((await problem.json()) as { code: string }).code
const noSuch = (c: Context) => c.json({ code: 'no such sku' }, 404)

/** What a request makes of its key. */
const endingOf = async (app: Hono, request: Sent): Promise<string | undefined> => {
  const answer = await exchange(await serve(app), { key: 'k', ...request })
  expect(answer.head).toContain(' 404 ')
  return told.at(-1)
}

describe('a 404 that no route has given leaves no record', () => {
  const unmatched: Record<string, (app: Hono) => void> = {
    'behind a layer on the whole application': (app) => app.use(layer()),
    "by the application's own notFound": (app) => {
      app.use(layer())
      app.notFound((c) => c.json({ own: true }, 404))
    },
    'behind other middlewares': (app) => {
      app.use(layer())
      app.use(logger(() => {}))
    },
    'behind middlewares that look at the answer': (app) => {
      app.use(layer())
      app.use(async (c, next) => {
        await next()
        c.header('X-After', '1')
      })
    },
    'in a sub-application with error handling of its own': (app) => {
      const sub = new Hono()
      sub.onError((_error, c) => c.text('own', 500))
      sub.use(layer())
      sub.post('/orders', (c) => c.text('x'))
      app.route('/shop', sub)
    },
    'of a path that has another method': (app) => {
      app.use(layer())
      app.put('/shop/nothing', (c) => c.text('x'))
    },
    'where the layer is all that a route has': (app) => {
      app.post('/shop/nothing', layer())
    },
  }
  it.each(Object.keys(unmatched))('%s', async (name) => {
    const app = new Hono()
    unmatched[name]?.(app)
    expect(await endingOf(app, { path: '/shop/nothing' })).toBe('released')
  })
})

describe('a 404 that a handler has given is kept', () => {
  const matched: Record<string, (app: Hono) => void> = {
    'on a route': (app) => void app.post('/shop/sku', layer(), noSuch),
    'behind a layer on the whole application': (app) => {
      app.use(layer())
      app.post('/shop/sku', noSuch)
    },
    'by c.notFound()': (app) => void app.post('/shop/sku', layer(), (c) => c.notFound()),
    'by an error': (app) => {
      app.post('/shop/sku', layer(), () => {
        throw new HTTPException(404)
      })
    },
    'on a route for every method': (app) => {
      app.use(layer())
      app.all('/shop/sku', noSuch)
    },
    'by a middleware that comes before the last': (app) => {
      app.use(layer())
      app.use(async (c, _next) => noSuch(c))
      app.use((_c, next) => next())
    },
    'in a sub-application with error handling of its own': (app) => {
      const sub = new Hono()
      sub.onError((_error, c) => c.text('own', 500))
      sub.post('/sku', layer(), noSuch)
      app.route('/shop', sub)
    },
    'in an application that is mounted, where the layer is in it': (app) => {
      const other = new Hono()
      other.post('/sku', layer(), noSuch)
      app.mount('/shop', other.fetch)
    },
  }
  it.each(Object.keys(matched))('%s', async (name) => {
    const app = new Hono()
    matched[name]?.(app)
    expect(await endingOf(app, { path: '/shop/sku' })).toBe('completed')
  })
})

describe('the path that counts is the full external one', () => {
  const shops: Record<string, (handler: (c: Context) => Response) => Hono> = {
    'under route()': (handler) => {
      const sub = new Hono()
      sub.post('/orders', layer(), handler)
      return new Hono().route('/a', sub).route('/b', sub)
    },
    'under basePath()': (handler) => {
      const app = new Hono()
      for (const base of ['/a', '/b']) app.basePath(base).post('/orders', layer(), handler)
      return app
    },
    'under mount()': (handler) => {
      const other = new Hono()
      other.post('/orders', layer(), handler)
      const app = new Hono()
      app.mount('/a', other.fetch)
      app.mount('/b', other.fetch)
      return app
    },
  }
  it.each(Object.keys(shops))('%s', async (name) => {
    let runs = 0
    const port = await serve(shops[name]?.((c) => c.json({ runs: ++runs })) as Hono)
    const json = { body: '{"a":1}', headers: { 'Content-Type': 'application/json' } }
    const first = await exchange(port, { ...json, path: '/a/orders', key: 'k' })
    expect(first.body).toBe('{"runs":1}')
    const again = await exchange(port, { ...json, path: '/a/orders', key: 'k' })
    expect(again.head).toContain('idempotent-replayed')
    const other = await exchange(port, { ...json, path: '/b/orders', key: 'k' })
    expect(other.body).toContain('key-reused')
  })
})

describe('the path of an application that is mounted', () => {
  const mounted = (front: Hono = new Hono()) => {
    const other = new Hono()
    other.post('*', layer(), (c) => c.text(c.req.path))
    return serve(front.mount('/a', other.fetch).mount('/b', other.fetch))
  }

  it.each([
    ['/a', '/b', '/'],
    ['/a/', '/b/', '/'],
    ['/a?sku=1', '/b?sku=1', '/'],
    ['/a/caf%c3%a9/%41', '/b/caf%c3%a9/%41', '/caf\u00e9/A'],
    ['/a//orders', '/b//orders', '//orders'],
    ['/a/x%2525y/%2F', '/b/x%2525y/%2F', '/x%2525y/%2F'],
  ])('is %s as it was sent', async (path, elsewhere, seen) => {
    const port = await mounted()
    const first = await exchange(port, { path, key: 'k' })
    expect(Buffer.from(first.body, 'latin1').toString()).toBe(seen)
    expect((await exchange(port, { path, key: 'k' })).head).toContain('idempotent-replayed')
    expect((await exchange(port, { path: elsewhere, key: 'k' })).body).toContain('key-reused')
  })

  it('is so too where a body was read in front, and another Request put in its place', async () => {
    const front = new Hono()
    front.use(async (c, next) => {
      c.req.raw = new Request(c.req.raw, { body: await c.req.arrayBuffer() })
      await next()
    })
    const port = await mounted(front)
    const sent = { body: 'x', key: 'k' }
    expect((await exchange(port, { ...sent, path: '/a/orders' })).body).toBe('/orders')
    const other = await exchange(port, { ...sent, path: '/b/orders' })
    expect(other.body).toContain('key-reused')
  })
})

it('takes a path that begins like a host, also behind another Request', async () => {
  const app = new Hono()
  app.use(async (c, next) => {
    c.req.raw = new Request(c.req.raw)
    await next()
  })
  app.post('*', layer(), (c) => c.text('x'))
  const port = await serve(app)
  for (const path of ['//', '//orders', '//orders:port/a']) {
    const sent = { path, key: path }
    expect((await exchange(port, sent)).body).toBe('x')
    expect((await exchange(port, sent)).head).toContain('idempotent-replayed')
  }
})

describe('mounted twice with the same options, it claims once', () => {
  const twice: Record<string, (app: Hono, handler: (c: Context) => Promise<Response>) => void> = {
    'with a sub-application between': (app, handler) => {
      const sub = new Hono()
      sub.post('/orders', layer(), handler)
      app.use(layer())
      app.route('/shop', sub)
    },
    'with a mounted application between': (app, handler) => {
      const other = new Hono()
      other.post('/orders', layer(), handler)
      app.use(layer())
      app.mount('/shop', other.fetch)
    },
    'with another Request between': (app, handler) => {
      app.use(layer())
      app.use(async (c, next) => {
        c.req.raw = new Request(c.req.raw, { headers: c.req.raw.headers })
        await next()
      })
      app.post('/shop/orders', layer(), handler)
    },
    'with a Request of another host between': (app, handler) => {
      app.use(layer())
      app.use(async (c, next) => {
        c.req.raw = new Request('https://public.example/shop/orders', c.req.raw)
        await next()
      })
      app.post('/shop/orders', layer(), handler)
    },
    'with a method override between': (app, handler) => {
      app.use(layer())
      app.use(methodOverride({ app, header: 'X-Method' }))
      app.patch('/shop/orders', layer(), handler)
    },
  }
  it.each(Object.keys(twice))('%s', async (name) => {
    const app = new Hono()
    let runs = 0
    twice[name]?.(app, async (c) => c.json({ runs: ++runs, body: await c.req.json() }))
    const port = await serve(app)
    const sent: Sent = {
      path: '/shop/orders',
      key: 'k',
      body: '{"a":1}',
      headers: { 'Content-Type': 'application/json', 'X-Method': 'PATCH' },
    }
    const first = await exchange(port, sent)
    expect(first.body).toBe('{"runs":1,"body":{"a":1}}')
    expect((await exchange(port, sent)).body).toBe(first.body)
    expect(told).toEqual(['acquired', 'completed'])
  })

  it('also without a server, where a body was read at the first', async () => {
    const app = new Hono()
    app.use(layer())
    app.use(async (c, next) => {
      c.req.raw = new Request(c.req.raw)
      await next()
    })
    app.post('/', layer(), async (c) => c.text(await c.req.text()))
    const answer = await app.request('/', {
      method: 'POST',
      body: 'x',
      headers: { 'Idempotency-Key': 'k' },
    })
    expect(await answer.text()).toBe('x')
    expect(told).toEqual(['acquired', 'completed'])
  })
})

describe('an operation that calls another in the same process', () => {
  it('has a record of its own, also where it hands on what the server gave it', async () => {
    const app = new Hono()
    app.post('/inner', layer(), (c) => c.json({ key: c.var.idempotency.key }, 503))
    app.post('/outer', layer(), async (c) => {
      const headers = { 'Idempotency-Key': `${c.var.idempotency.key}-inner` }
      const inner = await app.request('/inner', { method: 'POST', headers }, c.env)
      return c.json({ inner: await inner.json(), status: inner.status })
    })
    const port = await serve(app)
    const first = await exchange(port, { path: '/outer', key: 'k' })
    expect(first.body).toBe('{"inner":{"key":"k-inner"},"status":503}')
    expect(told).toEqual(['acquired', 'acquired', 'failed', 'completed'])
  })

  /** An operation that hands on all that it has to the one that charges, `times` times. */
  const handingOn = (outer: string, options: Partial<HonoOptions> = {}, times = 1) => {
    const app = new Hono()
    const charged: string[] = []
    app.post('/charge', layer(options), async (c) => {
      charged.push(await c.req.text())
      return c.text(`charged ${charged.length}`, 201)
    })
    app.post(outer, layer(options), async (c) => {
      const [method, headers] = ['POST', c.req.raw.headers]
      const answers: string[] = []
      for (let time = 0; time < times; time++) {
        const init = { method, headers, body: '{"cents":500}' }
        const inner = await app.request('/charge', init, c.env)
        answers.push(inner.status === 201 ? await inner.text() : await codeOf(inner))
      }
      return c.json({ answers, read: await c.req.json() })
    })
    return { serving: serve(app), charged }
  }
  const order: Sent = {
    key: 'k',
    body: '{"sku":"A-100"}',
    headers: { 'Content-Type': 'application/json' },
  }
  // A prefix away, as it would be under mount().
  const outers = ['/orders', '/a/charge']

  it.each(outers)('is another request than %s, and the key is not free for it', async (path) => {
    const { serving, charged } = handingOn(path)
    const port = await serving
    const first = await exchange(port, { ...order, path })
    expect(first.body).toBe('{"answers":["key-reused"],"read":{"sku":"A-100"}}')
    const again = await exchange(port, { ...order, path })
    expect(again.head).toContain('idempotent-replayed')
    expect(again.body).toBe(first.body)
    expect(charged).toEqual([])
    expect(told).toEqual(['acquired', 'completed'])
  })

  it.each(outers)('has a record of its own beside %s under keyScope: route', async (path) => {
    const { serving, charged } = handingOn(path, { keyScope: 'route' }, 2)
    const port = await serving
    const first = await exchange(port, { ...order, path })
    expect(first.body).toBe('{"answers":["charged 1","charged 1"],"read":{"sku":"A-100"}}')
    expect((await exchange(port, { ...order, path })).body).toBe(first.body)
    expect(charged).toEqual(['{"cents":500}'])
    expect(told).toEqual(['acquired', 'acquired', 'completed', 'completed'])
    const direct = await exchange(port, { ...order, body: '{"cents":500}', path: '/charge' })
    expect(direct.head).toContain('idempotent-replayed')
    expect(direct.body).toBe('charged 1')
    const other = await exchange(port, { ...order, body: '{"cents":5}', path: '/charge' })
    expect(other.body).toContain('key-reused')
  })

  it('is compared by its own body, also where the fields it was given say that there is none', async () => {
    const app = new Hono()
    app.post('/charge', layer({ keyScope: 'route' }), async (c) => c.text(await c.req.text()))
    app.post('/orders', async (c) => {
      const [method, headers] = ['POST', c.req.raw.headers]
      const bodies: string[] = []
      for (const body of ['5', '500']) {
        const inner = await app.request('/charge', { method, headers, body }, c.env)
        bodies.push(inner.status === 200 ? await inner.text() : await codeOf(inner))
      }
      return c.json(bodies)
    })
    const sent = { path: '/orders', key: 'k', headers: { 'Content-Length': '0' } }
    expect((await exchange(await serve(app), sent)).body).toBe('["5","key-reused"]')
  })
})

describe('an error that Hono has not answered when it passes the layer', () => {
  it('reaches its error handling, and counts as what that makes of it', async () => {
    for (const [error, ending] of [
      [new HTTPException(422), 'completed'],
      [new HTTPException(401), 'released'],
      [new Error('boom'), 'failed'],
    ] as const) {
      const seen: unknown[] = []
      const app = new Hono()
      app.onError((caught, c) => {
        seen.push(caught)
        return c.text('own', 500)
      })
      const throws = async () => {
        throw error
      }
      app.post('/', every(layer(), throws), (c) => c.text('never'))
      await exchange(await serve(app), { key: ending })
      expect(seen).toEqual([error])
      expect(told.at(-1)).toBe(ending)
    }
  })

  it('goes on where it is none, and the key fails', async () => {
    const app = new Hono()
    app.post('/', layer(), () => {
      throw 'no error'
    })
    expect((await exchange(await serve(app), { key: 'k' })).head).toContain('500')
    expect(told).toEqual(['acquired', 'failed'])
  })

  it('is made by Hono where nobody has answered, and the key fails', async () => {
    const app = new Hono()
    app.onError((error, c) => c.text(error.message, 500))
    app.post('/', layer(), async () => undefined as never)
    expect((await exchange(await serve(app), { key: 'k' })).body).toContain('not finalized')
    expect(told).toEqual(['acquired', 'failed'])
  })
})

describe('the layer', () => {
  it('has an execution for every request, also where it throws', async () => {
    const seen: unknown[] = []
    const app = new Hono()
    app.onError((error, c) => {
      seen.push(c.get('idempotency' as never))
      return c.text(error.message, 500)
    })
    const skip = () => {
      throw new Error('a mistake')
    }
    app.post('/', layer({ skip }), (c) => c.text('never'))
    expect((await exchange(await serve(app), { key: 'k' })).body).toBe('a mistake')
    expect(seen).toMatchObject([{ protected: false }])
  })

  it('is a function of its name, with what an operator wants on it', () => {
    const once = layer()
    expect([once.name, once.length]).toEqual(['idempotency', 2])
    expect(Object.keys(once)).toEqual(expect.arrayContaining(['events', 'purgeExpired', 'close']))
    expect(Object.keys(once)).not.toContain('begin')
  })

  it('tells a wrong option at once', () => {
    expect(() => idempotency({ store } as never)).toThrow('scope')
  })
})
