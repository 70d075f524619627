import { setTimeout } from 'node:timers/promises'
import { answer } from '@retrysafe/core'
import Database from 'better-sqlite3'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import {
  database,
  effects,
  reopenStore,
  store,
  takeEffect,
  useShopDatabase,
} from './shop-database.js'
import { versions } from './versions.js'

useShopDatabase()

/** What a route of a test does inside its transaction, and what becomes of what it throws. */
const shopOf =
  (express: (typeof versions)[number][1]) =>
  (work: (request: Request, response: Response) => unknown, options = {}) => {
    const app = express()
    const route: RequestHandler = (request, response, next) => {
      store.transaction(request.idempotency, () => work(request, response)).catch(next)
    }
    const onError: ErrorRequestHandler = (error, _request, response, _next) => {
      response.status(error.status ?? 500).json({ thrown: error.message })
    }
    app.post('/', idempotency({ store, scope: 'global', ...options }), route)
    app.use(onError)
    return serve(app)
  }

describe.each(versions)('A transaction through %s', (_name, express) => {
  const shop = shopOf(express)

  it('commits effect and answer together, and the answer is replayed', async () => {
    const port = await shop((_request, response) => {
      takeEffect('order')
      response.status(201).location('/orders/1').json({ order: 1 })
    })
    const first = await exchange(port, { key: 'k' })
    const again = await exchange(port, { key: 'k' })
    expect(first.head).toContain('201 Created')
    expect(again.head).toContain('Idempotent-Replayed: true')
    expect(again.body).toBe(first.body)
    expect(effects()).toBe(1)
  })

  it('keeps an answer of any status with the effects that it has', async () => {
    const port = await shop((_request, response) => {
      takeEffect('note')
      response.status(503).json({ try: 'later' })
    })
    await exchange(port, { key: 'k' })
    const again = await exchange(port, { key: 'k' })
    expect(again.head).toContain('503')
    expect(again.head).toContain('Idempotent-Replayed: true')
    expect(effects()).toBe(1)
  })

  it('rolls both back where the work throws, and status and headers with them', async () => {
    let throws = true
    const port = await shop((_request, response) => {
      takeEffect('order')
      response.status(201).location('/orders/1').json({ order: 1 })
      if (throws) throw new Error('no more')
    })
    const first = await exchange(port, { key: 'k' })
    expect(first.head).toContain('500')
    expect(first.head).not.toContain('Location')
    expect(first.body).toBe('{"thrown":"no more"}')
    expect(effects()).toBe(0)
    throws = false
    expect((await exchange(port, { key: 'k' })).head).toContain('201')
    expect(effects()).toBe(1)
  })

  const answers = {
    'JSON with fields': answer(201, { order: 1 }, [
      ['Location', '/orders/1'],
      ['Link', '<a>'],
      ['Link', '<b>'],
    ]),
    'no content': answer(204),
    'an empty body': answer(200),
    bytes: answer(200, Uint8Array.of(0, 255)),
    'a redirection': answer(303, undefined, { Location: '/orders/1' }),
  }
  for (const [what, given] of Object.entries(answers))
    it(`gives ${what} that the work returns by answer(), with and without a key`, async () => {
      const port = await shop((_request, response) => {
        takeEffect('order')
        response.set('X-Beside', '1')
        return given
      })
      const [first, again, bare] = [
        await exchange(port, { key: 'k' }),
        await exchange(port, { key: 'k' }),
        await exchange(port),
      ]
      expect(first.head).toContain(` ${given.status} `)
      if (what === 'JSON with fields') {
        expect(first.body).toBe('{"order":1}')
        expect(first.head).toContain('Location: /orders/1\r\nLink: <a>\r\nLink: <b>')
      }
      expect(again.head).toContain('Idempotent-Replayed: true')
      const sorted = (head: string) =>
        head.replace('\r\nIdempotent-Replayed: true', '').split('\r\n').toSorted()
      expect(sorted(again.head)).toEqual(sorted(first.head))
      expect(again.body).toBe(first.body)
      expect(bare).toEqual(first)
      expect(effects()).toBe(2)
    })

  it('rolls back where the work gave no answer', async () => {
    const port = await shop(() => takeEffect('order'))
    const first = await exchange(port, { key: 'k' })
    expect(first.body).toContain('errors/answer-missing')
    expect(effects()).toBe(0)
  })

  it('runs nothing where the answer was given before it', async () => {
    const app = express()
    const refused: unknown[] = []
    app.post('/', idempotency({ store, scope: 'global' }), (request, response) => {
      response.json({ early: true })
      store
        .transaction(request.idempotency, () => takeEffect('order'))
        .catch((error) => refused.push(error.code))
    })
    const port = await serve(app)
    expect((await exchange(port, { key: 'k' })).body).toBe('{"early":true}')
    expect(refused).toEqual(['answer-missing'])
    expect(effects()).toBe(0)
  })

  it('is plain without a key, and its answer is held all the same', async () => {
    let throws = true
    const port = await shop((request, response) => {
      expect(request.idempotency.protected).toBe(false)
      takeEffect('order')
      response.status(201).json({ order: 1 })
      if (throws) throw new Error('no more')
    })
    expect((await exchange(port)).head).toContain('500')
    expect(effects()).toBe(0)
    throws = false
    expect((await exchange(port)).head).toContain('201')
    expect((await exchange(port)).head).toContain('201')
    expect(effects()).toBe(2)
  })

  it('is 503 where another connection writes for too long, and nothing has run', async () => {
    await store.close()
    reopenStore({ storeTimeoutMs: 100 })
    const port = await shop((_request, response) => {
      takeEffect('order')
      response.status(201).json({ order: 1 })
    })
    const other = new Database(database.name)
    try {
      const app = express()
      app.post('/', idempotency({ store, scope: 'global' }), async (request, response, next) => {
        // From here on the file is somebody else's; the claim has been taken.
        other.exec('BEGIN IMMEDIATE')
        await store
          .transaction(request.idempotency, () => response.json(takeEffect('order')))
          .catch((error) => {
            other.exec('ROLLBACK')
            next(error)
          })
      })
      const busy = await exchange(await serve(app), { key: 'k' })
      expect(busy.head).toContain('503')
      expect(busy.head).toContain('Retry-After: 1')
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
    const goOn = new Promise<void>((resolve) => {
      mayGoOn = resolve
    })
    let now = Date.now()
    await store.close()
    reopenStore({ now: () => now })
    const app = express()
    app.post('/', idempotency({ store, scope: 'global' }), async (request, response, next) => {
      const { attempt } = request.idempotency
      if (attempt === 1) {
        entered()
        await goOn
      }
      await store
        .transaction(request.idempotency, () => {
          takeEffect(`attempt ${attempt}`)
          response.status(201).json({ attempt })
        })
        .catch(next)
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
    expect(stands.head).toContain('Idempotent-Replayed: true')
    expect(effects()).toBe(1)
  })
})

describe('An application that holds its own BEGIN over an await', () => {
  const [, express] = versions[1] as (typeof versions)[number]

  it('rolls nothing of ours back, blocks nothing for good, and never puts the event loop to sleep', async () => {
    const app = express()
    const once = idempotency({ store, scope: 'global' })
    let runs = 0
    app.post('/plain', once, (_request, response) => {
      runs++
      response.status(201).json({ runs })
    })
    app.post('/together', once, async (request, response) => {
      await store.transaction(request.idempotency, () => {
        takeEffect('order')
        response.status(201).json({ order: true })
      })
    })
    const onError: ErrorRequestHandler = (error, _request, response, _next) => {
      response.status(409).json({ code: error.code })
    }
    app.use(onError)
    const port = await serve(app)

    database.exec('BEGIN IMMEDIATE')
    takeEffect("the application's own")
    let beats = 0
    const beating = setInterval(() => beats++, 5)
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
    const plain = keys.map((key) => exchange(port, { path: '/plain', key }))
    const together = exchange(port, { path: '/together', key: 'together' })
    await setTimeout(300)
    database.exec('ROLLBACK')
    const answers = await Promise.all(plain)
    clearInterval(beating)

    // 60 beats where nobody sleeps; one SQLite that waits for the lock would leave hardly any.
    expect(beats).toBeGreaterThan(15)
    expect(answers.every(({ head }) => head.includes('201 Created'))).toBe(true)
    expect(runs).toBe(20)
    const replays = await Promise.all(keys.map((key) => exchange(port, { path: '/plain', key })))
    expect(replays.every(({ head }) => head.includes('Idempotent-Replayed: true'))).toBe(true)
    expect(runs).toBe(20)
    const outcome = await together
    expect(outcome.head).toContain('201 Created')
    expect(effects()).toBe(1)
  })

  it('is told so by a transaction that comes in between, and nothing of it has run', async () => {
    const app = express()
    const codes: unknown[] = []
    app.post('/', idempotency({ store, scope: 'global' }), async (request, response) => {
      database.exec('BEGIN')
      await store
        .transaction(request.idempotency, () => takeEffect('order'))
        .catch((error) => codes.push(error.code))
      database.exec('ROLLBACK')
      response.status(409).json({ codes })
    })
    await exchange(await serve(app), { key: 'k' })
    expect(codes).toEqual(['transaction-open'])
    expect(effects()).toBe(0)
  })
})
