import { setImmediate } from 'node:timers/promises'
import { answer } from '@retrysafe/core'
import type { Context, Middleware } from 'koa'
import compress from 'koa-compress'
import { describe, expect, it, vi } from 'vitest'
import { exchange } from '../../express/test/exchange.js'
import { effects, store, takeEffect, useShopDatabase } from '../../express/test/shop-database.js'
import { idempotency } from '../src/index.js'
import { gate, isReplay, serveChain } from './application.js'
import { versions } from './versions.js'

useShopDatabase()

const layer = () => idempotency({ store, scope: 'global' })

/** A route that does this inside of its transaction. */
const transacting =
  (work: (ctx: Context) => unknown): Middleware =>
  async (ctx) => {
    await store.transaction(ctx.state.idempotency, () => work(ctx))
  }

describe.each(versions)('A transaction through %s', (_name, Koa) => {
  const shop = (work: (ctx: Context) => unknown, ...inFront: Middleware[]) =>
    serveChain(Koa, ...inFront, layer(), transacting(work))

  it('commits effect and answer together, and the answer is replayed', async () => {
    const port = await shop(() => {
      takeEffect('order')
      return answer(201, { order: 1 }, [
        ['Location', '/orders/1'],
        ['Link', '<a>'],
        ['Link', '<b>'],
      ])
    })
    const first = await exchange(port, { key: 'k' })
    const again = await exchange(port, { key: 'k' })
    expect(first.head).toContain('201 Created')
    expect(first.head).toContain('Location: /orders/1\r\nLink: <a>\r\nLink: <b>')
    expect(first.head).toContain('Content-Type: application/json')
    expect(first.body).toBe('{"order":1}')
    expect(isReplay(again)).toBe(true)
    expect(again.head).toContain('Location: /orders/1\r\nLink: <a>\r\nLink: <b>')
    expect(again.body).toBe(first.body)
    expect(effects()).toBe(1)
  })

  const answers = {
    'no content': answer(204),
    'an empty body': answer(200),
    text: answer(200, 'caf\u00e9'),
    bytes: answer(200, Uint8Array.of(0, 255)),
    'a redirection': answer(303, undefined, { Location: '/orders/1' }),
    'a failure': answer(503, { try: 'later' }),
  }
  for (const [what, given] of Object.entries(answers))
    it(`gives ${what} as it is replayed, with and without a key`, async () => {
      const port = await shop(() => {
        takeEffect('order')
        return given
      })
      const [first, again, bare] = [
        await exchange(port, { key: 'k' }),
        await exchange(port, { key: 'k' }),
        await exchange(port),
      ]
      expect(first.head).toContain(` ${given.status} `)
      expect(isReplay(again)).toBe(true)
      const sorted = (head: string) =>
        head.replace('\r\nIdempotent-Replayed: true', '').split('\r\n').toSorted()
      expect(sorted(again.head)).toEqual(sorted(first.head))
      expect(again.body).toBe(first.body)
      expect(bare).toEqual(first)
      expect(effects()).toBe(2)
    })

  it('answers what is committed, whatever the handler sets or throws afterwards', async () => {
    for (const [at, after] of [
      (ctx: Context) => {
        ctx.status = 202
        ctx.set('X-Late', '1')
        ctx.body = { other: true }
      },
      (ctx: Context) => {
        ctx.respond = false
      },
      (ctx: Context) => ctx.throw(500, 'too late'),
    ].entries()) {
      const key = `key-${at}`
      const port = await serveChain(Koa, layer(), async (ctx) => {
        await store.transaction(ctx.state.idempotency, () => answer(201, { order: 1 }))
        after(ctx)
      })
      const first = await exchange(port, { key })
      expect(first.head).toContain('201 Created')
      expect(first.head).not.toContain('X-Late')
      expect(first.body).toBe('{"order":1}')
      expect((await exchange(port, { key })).body).toBe(first.body)
    }
  })

  it('answers what is committed without a body as it is replayed, where an error comes after it', async () => {
    const port = await serveChain(Koa, layer(), async (ctx) => {
      await store.transaction(ctx.state.idempotency, () => answer(204))
      throw new Error('too late')
    })
    const first = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'Idempotency-Key': 'k' },
    })
    expect(first.status).toBe(204)
    // RFC 9110, section 8.6: none with this status.
    expect(first.headers.get('content-length')).toBeNull()
  })

  it('lets an error after the commit reach the middleware in front', async () => {
    const caught: unknown[] = []
    const catching: Middleware = (ctx, next) =>
      next().catch((error) => {
        caught.push(error)
        ctx.status = 500
        ctx.body = 'an error page'
      })
    const error = new Error('too late')
    const port = await serveChain(Koa, catching, layer(), async (ctx) => {
      await store.transaction(ctx.state.idempotency, () => answer(201, { order: 1 }))
      throw error
    })
    expect((await exchange(port, { key: 'k' })).body).toBe('{"order":1}')
    expect(caught).toEqual([error])
  })

  it('shows its answer to middleware in front, which packs it', async () => {
    const port = await shop(
      () => answer(200, 'the answer, '.repeat(500)),
      compress({ br: false }) as Middleware,
    )
    const { head } = await exchange(port, { key: 'k', headers: { 'Accept-Encoding': 'gzip' } })
    expect(head).toContain('Content-Encoding: gzip')
  })

  it('rolls both back where the work throws, and status, fields and body with them', async () => {
    let throws = true
    const port = await serveChain(Koa, layer(), async (ctx) => {
      await store
        .transaction(ctx.state.idempotency, () => {
          takeEffect('order')
          ctx.status = 201
          ctx.set('Location', '/orders/1')
          ctx.body = { order: 1 }
          if (throws) throw new Error('no more')
          return answer(201)
        })
        .catch(() => {
          expect([ctx.status, ctx.body, ctx.response.get('Location') || '']).toEqual([
            404,
            undefined,
            '',
          ])
          ctx.body = { rolledBack: true }
        })
    })
    const first = await exchange(port, { key: 'k' })
    expect(first.head).toContain('200 OK')
    expect(first.head).not.toContain('Location')
    expect(first.body).toBe('{"rolledBack":true}')
    expect(effects()).toBe(0)
    throws = false
    expect((await exchange(port, { key: 'other' })).head).toContain('201')
    expect(effects()).toBe(1)
  })

  it('rolls back where the work sets the answer on the context: nobody can see that it is one', async () => {
    const port = await shop((ctx) => {
      takeEffect('order')
      ctx.status = 201
      ctx.body = { order: 1 }
    })
    const first = await exchange(port, { key: 'k' })
    expect(first.head).toContain('500')
    expect(first.body).toBe('Internal Server Error')
    expect(effects()).toBe(0)
  })

  it('takes what the work writes past Koa', async () => {
    const port = await shop((ctx) => {
      takeEffect('order')
      ctx.respond = false
      ctx.res.writeHead(201).end('written')
    })
    expect((await exchange(port, { key: 'k' })).body).toBe('written')
    expect(isReplay(await exchange(port, { key: 'k' }))).toBe(true)
    expect(effects()).toBe(1)
  })

  it('is plain without a key, and takes what is set on the context', async () => {
    const port = await shop((ctx) => {
      takeEffect('order')
      ctx.status = 201
      ctx.body = { order: 1 }
    })
    expect((await exchange(port)).body).toBe('{"order":1}')
    expect(effects()).toBe(1)
  })

  it('commits although a time-out in front has answered, and the retry gets its answer', async () => {
    const atWork = gate()
    const answered = gate()
    let runs = 0
    const inFront: Middleware = async (ctx, next) => {
      if (runs > 0) return next()
      const timeIsOver = atWork.opened.then(async () => {
        await setImmediate()
        return 'over'
      })
      if ((await Promise.race([next(), timeIsOver])) !== 'over') return
      ctx.status = 503
      ctx.body = 'late'
    }
    const port = await serveChain(Koa, inFront, layer(), async (ctx) => {
      runs++
      atWork.open()
      await answered.opened
      await store.transaction(ctx.state.idempotency, () => {
        takeEffect('order')
        return answer(201, { order: 1 })
      })
    })
    expect((await exchange(port, { key: 'k' })).head).toContain('503')
    answered.open()
    await vi.waitFor(() => expect(effects()).toBe(1))
    const retry = await exchange(port, { key: 'k' })
    expect(isReplay(retry)).toBe(true)
    expect(retry.head).toContain('201 Created')
    expect(retry.body).toBe('{"order":1}')
    expect(runs).toBe(1)
  })
})
