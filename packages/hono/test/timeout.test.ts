import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { timeout } from 'hono/timeout'
import { describe, expect, it, vi } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'

/** A handler that goes on when it is told to, behind a time-out that does not wait for that. */
const shop = (handler: (c: Context) => Response) => {
  let goOn = (): void => {}
  const told: string[] = []
  const goesOn = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const once = idempotency({ store: memoryStore(), scope: 'global' })
  for (const event of ['acquired', 'completed', 'failed', 'released'] as const)
    once.events.on(event, () => told.push(event))
  let runs = 0
  const app = new Hono()
  app.post('/', timeout(30), once, async (c) => {
    if (++runs === 1) await goesOn
    return handler(c)
  })
  return { app, told, goOn: () => goOn(), runs: () => runs }
}

describe('a time-out in front of the layer', () => {
  it('answers its client, and the late result is not run again', async () => {
    const { app, told, goOn, runs } = shop((c) => c.json({ late: true }, 201))
    const port = await serve(app)
    expect((await exchange(port, { key: 'k' })).head).toContain('504')
    expect((await exchange(port, { key: 'k' })).body).toContain('request-in-flight')
    goOn()
    await vi.waitFor(() => expect(told).toEqual(['acquired', 'completed']))
    expect((await exchange(port, { key: 'k' })).body).toContain('response-not-stored')
    expect(runs()).toBe(1)
  })

  it('leaves a handler that throws late to fail', async () => {
    const { app, told, goOn, runs } = shop(() => {
      throw new HTTPException(500)
    })
    const port = await serve(app)
    expect((await exchange(port, { key: 'k' })).head).toContain('504')
    goOn()
    await vi.waitFor(() => expect(told).toEqual(['acquired', 'failed']))
    await exchange(port, { key: 'k' })
    expect(runs()).toBe(2)
  })

  it('leaves a business answer that is thrown late to be replayed', async () => {
    const { app, told, goOn, runs } = shop(() => {
      throw new HTTPException(422, { message: 'no stock' })
    })
    const port = await serve(app)
    await exchange(port, { key: 'k' })
    goOn()
    await vi.waitFor(() => expect(told).toEqual(['acquired', 'completed']))
    const replay = await exchange(port, { key: 'k' })
    expect(replay.head).toContain('422')
    expect(replay.body).toBe('no stock')
    expect(runs()).toBe(1)
  })

  it('does the same without a server, where its answer has been read', async () => {
    const { app, told, goOn, runs } = shop((c) => c.json({ late: true }, 201))
    const ask = () => app.request('/', { method: 'POST', headers: { 'Idempotency-Key': 'k' } })
    expect(await (await ask()).text()).toBe('Gateway Timeout')
    goOn()
    await vi.waitFor(() => expect(told).toEqual(['acquired', 'completed']))
    expect((await ask()).status).toBe(409)
    expect(runs()).toBe(1)
  })
})

describe('something in front of the layer that answers while the key is claimed', () => {
  const shop = async (key: string) => {
    const store = memoryStore()
    let answersFirst = true
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
          if (answersFirst) await isAnswered
          return acquisition
        },
      },
      scope: 'global',
    })
    const released: unknown[] = []
    once.events.on('released', (detail) => released.push(detail))
    const app = new Hono()
    app.use(async (c, next) => {
      const going = next()
      if (!answersFirst) return going
      going.catch(() => {})
      c.res = new Response('late', { status: 503 })
    })
    app.post('/', once, (c) => c.json({ runs: ++runs }, 201))
    const port = await serve(app)
    const first = await exchange(port, { key })
    answered()
    return {
      first,
      released,
      runs: () => runs,
      again: () => {
        answersFirst = false
        return exchange(port, { key })
      },
    }
  }

  it('keeps the handler from running, and frees the key', async () => {
    const { first, released, runs, again } = await shop('k')
    expect(first.body).toBe('late')
    await vi.waitFor(() => expect(released).toHaveLength(1))
    expect(runs()).toBe(0)
    expect((await again()).head).toContain('201')
  })

  it('does not make an attempt before it forgotten', async () => {
    const store = memoryStore()
    let answered = (): void => {}
    const isAnswered = new Promise<void>((resolve) => {
      answered = resolve
    })
    let asked = 0
    const once = idempotency({
      store: {
        ...store,
        acquire: async (claim) => {
          const acquisition = await store.acquire(claim)
          if (asked === 2) await isAnswered
          return acquisition
        },
      },
      scope: 'global',
    })
    const told: string[] = []
    for (const event of ['failed', 'released'] as const)
      once.events.on(event, () => told.push(event))
    const app = new Hono()
    app.use(async (c, next) => {
      const going = next()
      if (++asked !== 2) return going
      going.catch(() => {})
      c.res = new Response('late', { status: 503 })
    })
    app.post('/', once, (c) => c.text(`attempt ${c.var.idempotency.attempt}`, 500))
    const port = await serve(app)
    expect((await exchange(port, { key: 'k' })).body).toBe('attempt 1')
    expect((await exchange(port, { key: 'k' })).body).toBe('late')
    answered()
    await vi.waitFor(() => expect(told).toEqual(['failed', 'failed']))
    expect((await exchange(port, { key: 'k' })).body).toBe('attempt 3')
  })

  it('is not disturbed by a refusal of ours that comes too late', async () => {
    const { first } = await shop('two words')
    expect(first.body).toMatch(/late|key-invalid/)
  })
})

describe("a handler that answers on Node's own response, past Hono", () => {
  it('is not run again, and its answer is not taken for an empty one', async () => {
    let runs = 0
    const app = new Hono<{ Bindings: { outgoing: import('node:http').ServerResponse } }>()
    app.post('/', idempotency({ store: memoryStore(), scope: 'global' }), (c) => {
      runs++
      c.env.outgoing.writeHead(201).end('by hand')
      return new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
    })
    const port = await serve(app as never)
    expect((await exchange(port, { key: 'k' })).body).toContain('by hand')
    expect((await exchange(port, { key: 'k' })).body).toContain('response-not-stored')
    expect(runs).toBe(1)
  })
})
