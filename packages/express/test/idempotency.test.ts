import { type Execution, OptionError } from '@retrysafe/core'
import { memoryStore } from '@retrysafe/memory'
import express, { type Request, type RequestHandler } from 'express'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { type ExpressOptions, idempotency } from '../src/index.js'

const store = memoryStore()

describe('idempotency()', () => {
  it('returns a function of its name, so that stack traces can be read', () => {
    expect(idempotency({ store, scope: 'global' }).name).toBe('idempotency')
  })

  it('returns a middleware that Express takes as one', () => {
    const once = idempotency({ store, scope: 'global' })
    expect(once.length).toBe(3)
    expectTypeOf(once).toExtend<RequestHandler>()
    express()
      .use(once)
      .post('/orders', once, (_request, response) => void response.end())
  })

  it('says at construction what is wrong with its options', () => {
    expect(() => idempotency({ store } as never)).toThrow(OptionError)
    expect(() => idempotency({ store } as never)).toThrow(
      `idempotency: expected "scope" to be a function or 'global', got undefined. ` +
        "A key belongs to a caller: without a scope, one customer could receive another's answer. " +
        'https://retrysafe.dev/errors/scope-missing',
    )
    expect(() => idempotency({ store, scope: 'global', ttl: 5 } as never)).toThrow('"ttl"')
  })

  it('gives every handler a typed execution', () => {
    const handler: RequestHandler = (request) => {
      const { attempt, key, derivedKey, signal } = request.idempotency
      expectTypeOf(request.idempotency).toEqualTypeOf<Execution>()
      expectTypeOf(attempt).toEqualTypeOf<number>()
      expectTypeOf(key).toEqualTypeOf<string | undefined>()
      expectTypeOf(derivedKey('payment')).toEqualTypeOf<string>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
    }
    expect(handler).toBeTypeOf('function')
  })

  it("hands Express's request to its callbacks, typed", () => {
    const options: ExpressOptions = {
      store,
      scope: (request) => request.get('x-tenant') ?? '',
      key: (request) => request.body?.id as string | undefined,
      skip: async (request) => request.ip === '127.0.0.1',
      fingerprint: (request) => request.path,
    }
    expectTypeOf(options.skip).parameter(0).toEqualTypeOf<Request>()
    expect(idempotency(options).events.on).toBeTypeOf('function')
  })

  it('closes and purges through what it returns', async () => {
    const once = idempotency({ store: memoryStore(), scope: 'global' })
    expect(await once.purgeExpired()).toBe(0)
    await once.close()
    await once.close()
  })
})
