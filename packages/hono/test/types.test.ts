import { type Execution, isIdempotencyError } from '@retrysafe/core'
import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono } from 'hono'
import { validator } from 'hono/validator'
import { describe, expectTypeOf, it } from 'vitest'
import { type HonoOptions, type IdempotencyVariables, idempotency } from '../src/index.js'

// Never called: the compiler is what is tested.
const compiles = () => {
  const base: HonoOptions = { store: memoryStore(), scope: (c) => c.req.header('x-tenant') }
  expectTypeOf<Parameters<Extract<HonoOptions['scope'], (...given: never) => unknown>>[0]>() //
    .toEqualTypeOf<Context>()
  const once = idempotency(base)

  const app = new Hono()
  app.post('/', once, (c) => {
    expectTypeOf(c.var.idempotency).toEqualTypeOf<Execution>()
    expectTypeOf(c.get('idempotency')).toEqualTypeOf<Execution>()
    return c.json({})
  })
  app.post(
    '/:sku',
    validator('json', () => ({ amount: 1 })),
    once,
    async (c) => {
      expectTypeOf(c.var.idempotency).toEqualTypeOf<Execution>()
      expectTypeOf(c.req.valid('json')).toEqualTypeOf<{ amount: number }>()
      expectTypeOf(c.req.param('sku')).toEqualTypeOf<string>()
      return c.json({})
    },
  )
  app.post('/bare', (c) => {
    // @ts-expect-error: no layer stands in front.
    c.var.idempotency.attempt
    return c.json({})
  })

  app.use(once).post('/chained', (c) => {
    expectTypeOf(c.var.idempotency).toEqualTypeOf<Execution>()
    return c.json({})
  })

  const own = new Hono<{ Variables: IdempotencyVariables & { user: string } }>()
  own.use(once)
  own.post(
    '/',
    idempotency({ ...base, required: true, skip: (c) => c.get('user') === '' }),
    (c) => {
      expectTypeOf(c.var.idempotency).toEqualTypeOf<Execution>()
      expectTypeOf(c.var.user).toEqualTypeOf<string>()
      return c.json({})
    },
  )
  const other = new Hono<{ Bindings: { name: string }; Variables: { user: string } }>()
  other.post('/', once, (c) => {
    expectTypeOf(c.var.idempotency).toEqualTypeOf<Execution>()
    expectTypeOf(c.env.name).toEqualTypeOf<string>()
    expectTypeOf(c.var.user).toEqualTypeOf<string>()
    return c.json({})
  })

  expectTypeOf(once.purgeExpired()).toEqualTypeOf<Promise<number>>()
  expectTypeOf(once.close()).toEqualTypeOf<Promise<void>>()
  once.events.on('completed', ({ keyHash }) => keyHash.length)
  app.onError((error, c) => c.text(isIdempotencyError(error) ? error.code : 'other', 500))

  // @ts-expect-error: whose key it is must be said.
  idempotency({ store: memoryStore() })
  // @ts-expect-error: an option that is none.
  idempotency({ ...base, ttl: 1 })
}

describe('the types of idempotency', () => {
  it('give a handler behind it the execution, without further words', () => {
    expectTypeOf(compiles).toBeFunction()
  })
})
