import { answer } from '@retrysafe/core'
import Database from 'better-sqlite3'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import { HTTPException } from 'hono/http-exception'
import { timeout } from 'hono/timeout'
import { describe, expect, it, vi } from 'vitest'
import {
  database,
  effects,
  reopenStore,
  store,
  takeEffect,
  useShopDatabase,
} from '../../express/test/shop-database.js'
import { type HonoOptions, type IdempotencyVariables, idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'

useShopDatabase()

type ShopContext = Context<{ Variables: IdempotencyVariables }>

/** An application whose one route does its work in a transaction. */
const shop = (work: (c: ShopContext) => unknown, options: Partial<HonoOptions> = {}) => {
  const app = new Hono()
  app.onError((error, c) =>
    c.json({ thrown: error.message }, error instanceof HTTPException ? error.status : 500),
  )
  app.post('/', idempotency({ store, scope: 'global', ...options }), async (c) => {
    const returned = await store.transaction(c.var.idempotency, () => work(c))
    return returned instanceof Response ? returned : c.text('none')
  })
  return serve(app)
}

describe('A transaction through Hono', () => {
  it('commits effect and answer together, and the answer is replayed', async () => {
    const port = await shop(() => {
      takeEffect('order')
      return answer(201, { order: 1 }, { Location: '/orders/1' })
    })
    const first = await exchange(port, { key: 'k' })
    const again = await exchange(port, { key: 'k' })
    expect(first.head).toContain('201 Created')
    expect(first.head).toContain('location: /orders/1')
    expect(first.head).toContain('content-type: application/json')
    expect(first.head).not.toContain('idempotent-replayed')
    expect(again.head).toContain('idempotent-replayed: true')
    expect([first.body, again.body]).toEqual(['{"order":1}', '{"order":1}'])
    expect(effects()).toBe(1)
  })

  it('gives the client what was committed, whatever the handler returns, and what was set in front', async () => {
    const app = new Hono()
    app.use(cors({ origin: 'http://page' }), async (c, next) => {
      c.header('X-Outer', '1')
      await next()
    })
    app.post('/', idempotency({ store, scope: 'global' }), async (c) => {
      await store.transaction(c.var.idempotency, () => answer(201, 'committed'))
      return c.text('something else', 500)
    })
    const port = await serve(app)
    for (const _ of ['first', 'replay']) {
      const { head, body } = await exchange(port, { key: 'k', headers: { Origin: 'http://page' } })
      expect(head).toContain('201 Created')
      expect(head).toContain('x-outer: 1')
      expect(head).toContain('access-control-allow-origin: http://page')
      expect(body).toBe('committed')
    }
  })

  it('does so where the layer stands twice on the way', async () => {
    const once = idempotency({ store, scope: 'global' })
    const app = new Hono()
    app.use(once)
    app.post('/', once, async (c) => {
      await store.transaction(c.var.idempotency, () => answer(201, 'committed'))
      return c.text('something else', 500)
    })
    const port = await serve(app)
    for (const _ of ['first', 'replay'])
      expect((await exchange(port, { key: 'k' })).body).toBe('committed')
  })

  it('keeps an answer of any status with the effects that it has', async () => {
    const port = await shop(() => {
      takeEffect('note')
      return answer(503, { try: 'later' })
    })
    await exchange(port, { key: 'k' })
    const again = await exchange(port, { key: 'k' })
    expect(again.head).toContain('503')
    expect(again.head).toContain('idempotent-replayed: true')
    expect(effects()).toBe(1)
  })

  it('rolls both back where the work throws, and status and headers with them', async () => {
    let throws = true
    const port = await shop((c) => {
      takeEffect('order')
      c.status(201)
      c.header('Location', '/orders/1')
      if (throws) throw new Error('no more')
      return answer(201, { order: 1 })
    })
    const first = await exchange(port, { key: 'k' })
    expect(first.head).toContain('500')
    expect(first.head).not.toContain('location')
    expect(first.body).toBe('{"thrown":"no more"}')
    expect(effects()).toBe(0)
    throws = false
    expect((await exchange(port, { key: 'k' })).head).toContain('201')
    expect(effects()).toBe(1)
  })

  it('leaves what was set before it when it is rolled back', async () => {
    const app = new Hono()
    app.onError((error, c) => c.text(error.message))
    app.post('/', idempotency({ store, scope: 'global', keep: 'all' }), async (c) => {
      c.status(202)
      c.header('X-Before', '1')
      c.header('X-Before', '2', { append: true })
      await store.transaction(c.var.idempotency, () => {
        c.status(201)
        c.header('X-Before', undefined)
        c.header('X-Inside', '1')
        throw new Error('no more')
      })
      return c.text('never')
    })
    const { head } = await exchange(await serve(app), { key: 'k' })
    expect(head).toContain('202')
    expect(head).toContain('x-before: 1, 2')
    expect(head).not.toContain('x-inside')
  })

  it('rolls back where the work gave no answer', async () => {
    for (const returned of [undefined, new Response('not known at once'), { order: 1 }]) {
      const port = await shop(() => {
        takeEffect('order')
        return returned
      })
      const first = await exchange(port, { key: `k-${typeof returned}` })
      expect(first.body).toContain('errors/answer-missing')
      expect(effects()).toBe(0)
    }
  })

  it('refuses asynchronous work, and nothing of it has run', async () => {
    const port = await shop((async () => {
      takeEffect('order')
      return answer(201)
    }) as never)
    const first = await exchange(port, { key: 'k' })
    expect(first.head).toContain('500')
    expect(effects()).toBe(0)
  })

  it('runs nothing where the handler has answered before it', async () => {
    let refused: Promise<unknown> = Promise.resolve()
    const app = new Hono()
    app.post('/', idempotency({ store, scope: 'global' }), (c) => {
      refused = new Promise<void>((resolve) => setImmediate(resolve)).then(() =>
        store.transaction(c.var.idempotency, () => {
          takeEffect('order')
          return answer(201)
        }),
      )
      refused.catch(() => {})
      return c.json({ early: true })
    })
    expect((await exchange(await serve(app), { key: 'k' })).body).toBe('{"early":true}')
    await expect(refused).rejects.toMatchObject({ code: 'answer-missing' })
    expect(effects()).toBe(0)
  })

  it('is plain without a key, and its handler answers what it likes', async () => {
    let throws = true
    const port = await shop((c) => {
      expect(c.var.idempotency.protected).toBe(false)
      takeEffect('order')
      c.header('X-Inside', '1')
      if (throws) throw new Error('no more')
    })
    const rolledBack = await exchange(port)
    expect(rolledBack.head).toContain('500')
    expect(rolledBack.head).not.toContain('x-inside')
    expect(effects()).toBe(0)
    throws = false
    for (const _ of ['one', 'two']) expect((await exchange(port)).body).toBe('none')
    expect(effects()).toBe(2)
  })

  it('is 503 where another connection writes for too long, and nothing has run', async () => {
    await store.close()
    reopenStore({ storeTimeoutMs: 100 })
    const other = new Database(database.name)
    try {
      const app = new Hono()
      app.onError((error, c) => c.text(error.message, 500))
      app.post('/', idempotency({ store, scope: 'global' }), async (c) => {
        // From here on the file is somebody else's; the claim has been taken.
        if (c.req.header('x-busy')) other.exec('BEGIN IMMEDIATE')
        return store
          .transaction(c.var.idempotency, () => {
            takeEffect('order')
            return answer(201)
          })
          .finally(() => other.inTransaction && other.exec('ROLLBACK'))
      })
      const port = await serve(app)
      const busy = await exchange(port, { key: 'k', headers: { 'X-Busy': '1' } })
      expect(busy.head).toContain('503')
      expect(busy.head).toContain('retry-after: 1')
      expect(busy.body).toContain('"code":"store-unavailable"')
      expect(effects()).toBe(0)
      expect((await exchange(port, { key: 'k' })).head).toContain('201')
      expect(effects()).toBe(1)
    } finally {
      other.close()
    }
  })

  it('gives the client what stands where the lease was lost before it', async () => {
    let entered = (): void => {}
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    let mayGoOn = (): void => {}
    const goesOn = new Promise<void>((resolve) => {
      mayGoOn = resolve
    })
    let now = Date.now()
    await store.close()
    reopenStore({ now: () => now })
    const app = new Hono()
    app.onError((error, c) => c.text(error.message, 500))
    app.post('/', idempotency({ store, scope: 'global' }), async (c) => {
      const { attempt } = c.var.idempotency
      if (attempt === 1) {
        entered()
        await goesOn
      }
      return store.transaction(c.var.idempotency, () => {
        takeEffect(`attempt ${attempt}`)
        return answer(201, { attempt })
      })
    })
    const port = await serve(app)
    const first = exchange(port, { key: 'k' })
    await inside
    now += 61_000
    const second = await exchange(port, { key: 'k' })
    mayGoOn()
    const stands = await first
    expect(second.body).toBe('{"attempt":2}')
    expect(stands.body).toBe('{"attempt":2}')
    expect(stands.head).toContain('201 Created')
    expect(stands.head).toContain('idempotent-replayed: true')
    expect(effects()).toBe(1)
  })

  it('that comes late, behind a time-out, is committed and replayed', async () => {
    let goOn = (): void => {}
    const goesOn = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const once = idempotency({ store, scope: 'global' })
    const completed = vi.fn()
    once.events.on('completed', completed)
    const app = new Hono()
    app.post('/', timeout(30), once, async (c) => {
      await goesOn
      return store.transaction(c.var.idempotency, () => {
        takeEffect('order')
        return answer(201, { late: true })
      })
    })
    const port = await serve(app)
    expect((await exchange(port, { key: 'k' })).head).toContain('504')
    goOn()
    await vi.waitFor(() => expect(completed).toHaveBeenCalledTimes(1))
    const replay = await exchange(port, { key: 'k' })
    expect(replay.head).toContain('201 Created')
    expect(replay.body).toBe('{"late":true}')
    expect(effects()).toBe(1)
  })
})
