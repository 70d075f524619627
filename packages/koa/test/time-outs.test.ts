import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { memoryStore } from '@retrysafe/memory'
import type { Context, Middleware } from 'koa'
import { describe, expect, it, vi } from 'vitest'
import { exchange } from '../../express/test/exchange.js'
import { idempotency } from '../src/index.js'
import { gate, isReplay, layer, serveChain } from './application.js'
import { versions } from './versions.js'

/** What a time-out in front of the layer does when its time is over. */
const timeOuts: Record<string, (ctx: Context) => void> = {
  'sets an answer': (ctx) => {
    ctx.status = 503
    ctx.set('Retry-After', '1')
    ctx.body = { late: true }
  },
  'throws one': (ctx) => ctx.throw(504, 'late', { expose: true }),
}

for (const [name, Koa] of versions) {
  /** The time of the first request is over when its handler is at work; then the client is answered, and it goes on. */
  const opened = async (
    timeOut: (ctx: Context) => void,
    handler: (ctx: Context, work: () => Promise<void>) => unknown,
    once = layer(),
    ...inner: Middleware[]
  ) => {
    const told: string[] = []
    for (const event of ['completed', 'failed', 'released'] as const)
      once.events.on(event, () => told.push(event))
    const atWork = gate()
    const answered = gate()
    let runs = 0
    const inFront: Middleware = async (ctx, next) => {
      if (runs > 0) return next()
      const timeIsOver = atWork.opened.then(async () => {
        await setImmediate()
        return 'over'
      })
      if ((await Promise.race([next(), timeIsOver])) === 'over') timeOut(ctx)
    }
    const work = async (): Promise<void> => {
      atWork.open()
      await answered.opened
    }
    const attempts: number[] = []
    const port = await serveChain(Koa, inFront, once, ...inner, async (ctx) => {
      runs++
      attempts.push(ctx.state.idempotency.attempt)
      await handler(ctx, runs === 1 ? work : async () => {})
    })
    const first = await exchange(port, { key: 'a' })
    const meanwhile = await exchange(port, { key: 'a' })
    expect(told).toEqual([])
    expect(JSON.parse(meanwhile.body)).toMatchObject({ code: 'request-in-flight' })
    answered.open()
    return { port, first, told, attempts, retry: () => exchange(port, { key: 'a' }) }
  }

  for (const [how, timeOut] of Object.entries(timeOuts))
    describe(`a time-out in front of the layer in ${name} that ${how}`, () => {
      it('answers the client, and the late result is kept for the retry', async () => {
        const { first, told, retry, attempts } = await opened(timeOut, async (ctx, work) => {
          ctx.cookies.get('seen')
          await work()
          ctx.status = 201
          ctx.set('Location', '/orders/1')
          ctx.cookies.set('late', '1')
          ctx.body = { order: 1 }
        })
        expect(first.head).toMatch(/^HTTP\/1.1 50[34] /)
        expect(first.body).toContain('late')
        await vi.waitFor(() => expect(told).toEqual(['completed']))
        const replay = await retry()
        expect(replay.head).toContain('201 Created')
        expect(replay.head).toContain('Location: /orders/1')
        expect(replay.head).toContain('Content-Type: application/json')
        expect(replay.head).not.toContain('Retry-After')
        expect(isReplay(replay)).toBe(true)
        expect(replay.body).toBe('{"order":1}')
        expect(attempts).toEqual([1])
      })

      const late: Record<string, readonly [(ctx: Context) => void, RegExp, string]> = {
        'a text': [(ctx) => void Object.assign(ctx, { body: 'done' }), / 200 /, 'done'],
        bytes: [(ctx) => void Object.assign(ctx, { body: Buffer.from('done') }), / 200 /, 'done'],
        'no content': [(ctx) => void Object.assign(ctx, { status: 204 }), / 204 /, ''],
        'no body': [(ctx) => void Object.assign(ctx, { body: null }), / 204 /, ''],
        'a refusal that is thrown': [(ctx) => ctx.throw(422, 'no stock'), / 422 /, 'no stock'],
        'a write past Koa': [(ctx) => void ctx.res.end('done'), / 404 /, 'done'],
        'a text, of a handler that looks whether Koa will give it': [
          (ctx) => {
            ctx.set('Location', '/orders/1')
            ctx.body = ctx.respond === false ? '' : 'done'
          },
          / 200 /,
          'done',
        ],
        'a write past Koa that ends later': [
          (ctx) => {
            ctx.res.write('do')
            setImmediate().then(() => ctx.res.end('ne'))
          },
          / 404 /,
          'done',
        ],
      }
      for (const [what, [give, status, body]] of Object.entries(late))
        it(`lets the retry have ${what}`, async () => {
          const { told, retry } = await opened(timeOut, async (ctx, work) => {
            await work()
            give(ctx)
          })
          await vi.waitFor(() => expect(told).toEqual(['completed']))
          const replay = await retry()
          expect(isReplay(replay)).toBe(true)
          expect(replay.head).toMatch(status)
          expect(replay.body).toBe(body)
        })

      const lost: Record<string, (ctx: Context, work: () => Promise<void>) => unknown> = {
        'had its status before': async (ctx, work) => {
          ctx.status = 201
          await work()
          ctx.body = { order: 1 }
        },
        'had a field before': async (ctx, work) => {
          ctx.set('Location', '/orders/1')
          await work()
          ctx.body = { order: 1 }
        },
        'was given before': async (ctx, work) => {
          ctx.body = { order: 1 }
          await work()
        },
        'was not given': async (_ctx, work) => work(),
        'is a stream': async (ctx, work) => {
          await work()
          ctx.body = Readable.from(['x'])
        },
        'breaks off past Koa': async (ctx, work) => {
          await work()
          ctx.res.write('one ')
          throw new Error('boom')
        },
        'is given past Koa, somewhere else': async (ctx, work) => {
          const { res } = ctx
          await work()
          ctx.status = 201
          ctx.respond = false
          res.end('x')
        },
      }
      for (const [what, handler] of Object.entries(lost))
        it(`does not let a handler run again whose answer ${what}`, async () => {
          const { told, retry, attempts } = await opened(timeOut, handler)
          await vi.waitFor(() => expect(told).toEqual(['completed']))
          expect(JSON.parse((await retry()).body)).toMatchObject({ code: 'response-not-stored' })
          expect(attempts).toEqual([1])
        })

      it('is told from the handler also behind a second mount', async () => {
        const options = { store: memoryStore(), scope: 'global' } as const
        const { told, retry } = await opened(
          timeOut,
          async (ctx, work) => {
            await work()
            ctx.body = 'done'
          },
          idempotency(options),
          idempotency(options),
        )
        await vi.waitFor(() => expect(told).toEqual(['completed']))
        expect((await retry()).body).toBe('done')
      })

      it('is the answer that loggers see, and the handler sees its own', async () => {
        const seen: unknown[] = []
        const logger = gate()
        const { told } = await opened(
          (ctx) => {
            ctx.res.once('finish', () => {
              seen.push(ctx.status)
              logger.open()
            })
            timeOut(ctx)
          },
          async (ctx, work) => {
            await work()
            await logger.opened
            ctx.status = 201
            seen.push(ctx.status)
          },
        )
        await vi.waitFor(() => expect(told).toEqual(['completed']))
        expect(seen).toEqual([how === 'throws one' ? 504 : 503, 201])
      })

      const failing: Record<string, (ctx: Context) => unknown> = {
        'that throws at last': () => {
          throw new Error('boom')
        },
        'of whose answer no JSON can be made': (ctx) => {
          ctx.body = { stock: 1n }
        },
      }
      for (const [what, fail] of Object.entries(failing))
        it(`lets a handler run again ${what}`, async () => {
          const { told, retry, attempts } = await opened(timeOut, async (ctx, work) => {
            await work()
            if (ctx.state.idempotency.attempt === 1) fail(ctx)
            else ctx.body = 'done'
          })
          await vi.waitFor(() => expect(told).toEqual(['failed']))
          expect((await retry()).body).toBe('done')
          expect(attempts).toEqual([1, 2])
        })

      it('keeps the fields of a refusal that is thrown, and no others', async () => {
        const { told, retry } = await opened(timeOut, async (ctx, work) => {
          await work()
          ctx.set('Location', '/orders/1')
          ctx.throw(422, 'no stock', { headers: { 'X-Stock': '0' } })
        })
        await vi.waitFor(() => expect(told).toEqual(['completed']))
        const { head } = await retry()
        expect(head).toContain('X-Stock: 0')
        expect(head).not.toContain('Location')
      })
    })

  describe(`a handler of ${name} that answers past Koa while it is at work`, () => {
    it.each([1, 2])('has given its own answer, behind %i mounts', async (mounts) => {
      const options = { store: memoryStore(), scope: 'global' } as const
      const layers = Array.from({ length: mounts }, () => idempotency(options))
      const port = await serveChain(Koa, ...layers, async (ctx) => {
        ctx.status = 201
        ctx.res.end('mine')
        await setImmediate()
      })
      expect((await exchange(port, { key: 'a' })).head).toContain('201 Created')
      const replay = await exchange(port, { key: 'a' })
      expect(isReplay(replay)).toBe(true)
      expect(replay.body).toBe('mine')
    })

    it('has given it also where it looked whether Koa would', async () => {
      const port = await serveChain(Koa, layer(), async (ctx) => {
        if (ctx.respond !== false) ctx.respond = false
        ctx.res.end('mine')
        await setImmediate()
      })
      await exchange(port, { key: 'a' })
      expect((await exchange(port, { key: 'a' })).body).toBe('mine')
    })
  })

  describe(`somebody in front of the layer of ${name} who answers before the key is claimed`, () => {
    it('keeps the handler from running, and frees the key', async () => {
      const store = memoryStore()
      const answered = gate()
      const once = idempotency({
        store: {
          ...store,
          acquire: async (claim) => {
            const acquisition = await store.acquire(claim)
            await answered.opened
            return acquisition
          },
        },
        scope: 'global',
      })
      const released: unknown[] = []
      once.events.on('released', (detail) => released.push(detail))
      let isFirst = true
      let runs = 0
      const inFront: Middleware = async (ctx, next) => {
        const running = next()
        if (!isFirst) return running
        isFirst = false
        ctx.status = 503
        ctx.body = 'late'
      }
      const port = await serveChain(Koa, inFront, once, (ctx) => {
        ctx.body = { runs: ++runs }
      })
      expect((await exchange(port, { key: 'a' })).head).toContain('503')
      answered.open()
      await vi.waitFor(() => expect(released).toHaveLength(1))
      expect(runs).toBe(0)
      expect((await exchange(port, { key: 'a' })).body).toBe('{"runs":1}')
    })
  })
}
