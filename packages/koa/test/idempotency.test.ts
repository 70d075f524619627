import Router from '@koa/router'
import { type Execution, OptionError } from '@retrysafe/core'
import { memoryStore } from '@retrysafe/memory'
import Koa, { type Context, type Middleware } from 'koa'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { idempotency, type KoaOptions } from '../src/index.js'

const store = memoryStore()

describe('idempotency()', () => {
  it('returns a function of its name, so that stack traces can be read', () => {
    expect(idempotency({ store, scope: 'global' }).name).toBe('idempotency')
  })

  it('returns a middleware that Koa and its router take as one', () => {
    const once = idempotency({ store, scope: 'global' })
    expectTypeOf(once).toExtend<Middleware>()
    const router = new Router()
    router.post('/orders', once, (ctx) => {
      ctx.status = 201
    })
    expect(new Koa().use(once).use(router.routes()).middleware).toHaveLength(2)
  })

  it('says at construction what is wrong with its options', () => {
    expect(() => idempotency({ store } as never)).toThrow(OptionError)
    expect(() => idempotency({ store, scope: 'global', ttl: 5 } as never)).toThrow('"ttl"')
  })

  it('gives every handler a typed execution', () => {
    const handler: Middleware = (ctx) => {
      expectTypeOf(ctx.state.idempotency).toEqualTypeOf<Execution>()
      expectTypeOf(ctx.state.idempotency.derivedKey('payment')).toEqualTypeOf<string>()
    }
    new Router().post('/', (ctx) => {
      expectTypeOf(ctx.state.idempotency).toEqualTypeOf<Execution>()
    })
    expect(handler).toBeTypeOf('function')
  })

  it("hands Koa's context to its callbacks, typed", () => {
    const options: KoaOptions = {
      store,
      scope: (ctx) => ctx.get('x-tenant'),
      skip: async (ctx) => ctx.ip === '127.0.0.1',
      fingerprint: (ctx) => ctx.path,
    }
    expectTypeOf(options.skip).parameter(0).toEqualTypeOf<Context>()
    expect(idempotency(options).events.on).toBeTypeOf('function')
  })

  it('closes and purges through what it returns', async () => {
    const once = idempotency({ store: memoryStore(), scope: 'global' })
    expect(await once.purgeExpired()).toBe(0)
    await once.close()
    await once.close()
  })
})
