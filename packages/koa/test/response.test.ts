import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Context, Middleware } from 'koa'
import { describe, expect, it } from 'vitest'
import { exchange } from '../../express/test/exchange.js'
import { isReplay, layer, serveChain } from './application.js'
import { versions } from './versions.js'

const file = fileURLToPath(import.meta.url)

/** What handlers do with their context. */
const handlers: Record<string, (ctx: Context) => unknown> = {
  'a text': (ctx) => {
    ctx.body = 'caf\u00e9'
  },
  'a text that is HTML': (ctx) => {
    ctx.body = '<p>x</p>'
  },
  'an empty text': (ctx) => {
    ctx.body = ''
  },
  bytes: (ctx) => {
    ctx.status = 201
    ctx.body = Buffer.from([0, 255])
  },
  'JSON with a status and fields': (ctx) => {
    ctx.status = 422
    ctx.set('X-One', '1')
    ctx.append('Link', '<a>')
    ctx.append('Link', '<b>')
    ctx.body = { code: 'no stock' }
  },
  'a number as JSON': (ctx) => {
    ctx.body = 5
  },
  'a status alone': (ctx) => {
    ctx.status = 202
  },
  'no content': (ctx) => {
    ctx.set('ETag', '"1"')
    ctx.status = 204
  },
  'no body, by null': (ctx) => {
    ctx.body = null
  },
  'no body with another status': (ctx) => {
    ctx.body = null
    ctx.status = 200
  },
  'a reason of its own': (ctx) => {
    ctx.status = 202
    ctx.message = 'Well Done'
    ctx.body = 'x'
  },
  'a redirection': (ctx) => {
    ctx.redirect('/orders/1')
    ctx.status = 303
  },
  cookies: (ctx) => {
    ctx.cookies.set('a', '1')
    ctx.cookies.set('b', '2')
    ctx.body = 'x'
  },
  'an error that is shown': (ctx) => ctx.throw(422, 'no stock', { headers: { 'X-One': '1' } }),
  'an error that is not shown': () => {
    throw new Error('secret')
  },
  'nothing at all': () => undefined,
  'a file': (ctx) => {
    ctx.type = 'text/plain'
    ctx.body = createReadStream(file)
  },
  'a stream with a length': (ctx) => {
    ctx.length = 5
    ctx.body = Readable.from([Buffer.from('ab'), Buffer.from('cde')])
  },
  'writing past Koa': async (ctx) => {
    ctx.respond = false
    ctx.res.writeHead(202, { 'X-Many': ['1', '2'] })
    ctx.res.write('one ')
    ctx.res.end('two')
  },
  'writing past Koa, which is not told': (ctx) => {
    ctx.res.statusCode = 202
    ctx.res.end('x')
  },
  'writing past Koa later': (ctx) => {
    ctx.respond = false
    setImmediate(() => ctx.res.end('x'))
  },
}
const webHandlers: typeof handlers = {
  'a Blob': (ctx) => {
    ctx.body = new Blob(['x'], { type: 'text/plain' })
  },
  'a ReadableStream': (ctx) => {
    ctx.body = new Blob(['x']).stream()
  },
  'a Response': (ctx) => {
    ctx.body = new Response('x', { status: 201, headers: { 'X-One': '1' } })
  },
}

for (const [name, Koa] of versions)
  describe(`an answer of ${name} behind the layer is what it is without`, () => {
    const all = name === 'Koa 3' ? { ...handlers, ...webHandlers } : handlers
    for (const [what, handler] of Object.entries(all))
      it(what, async () => {
        const bare = await exchange(await serveChain(Koa, handler))
        const port = await serveChain(Koa, layer({ keep: 'all' }), handler)
        expect(await exchange(port, { key: 'a' })).toEqual(bare)
        expect(await exchange(port)).toEqual(bare)
        const replay = await exchange(port, { key: 'a' })
        if (what === 'nothing at all') return
        expect(isReplay(replay)).toBe(true)
        expect(replay.body).toBe(bare.body)
        const never = /\r\n(Idempotent-Replayed|Set-Cookie|Connection|Keep-Alive): [^\r]*/g
        const withoutReason = (head: string) =>
          head.replace(never, '').replace('Well Done', 'Accepted').split('\r\n').toSorted()
        expect(withoutReason(replay.head)).toEqual(withoutReason(bare.head))
      })
  })

for (const [name, Koa] of versions)
  describe(`middleware in front of the layer in ${name}`, () => {
    it('is told status and length of a replay', async () => {
      const seen: unknown[] = []
      const logger: Middleware = async (ctx, next) => {
        await next()
        seen.push([ctx.status, ctx.response.length])
      }
      const made: Middleware = (ctx) => {
        ctx.status = 201
        ctx.body = 'made'
      }
      const port = await serveChain(Koa, logger, layer(), made)
      for (const _ of ['first', 'replay']) await exchange(port, { key: 'a' })
      expect(seen).toEqual([
        [201, 4],
        [201, 4],
      ])
    })

    it('makes of an answer what it makes of it once, and its fields reach a replay as they were', async () => {
      let runs = 0
      const envelope: Middleware = async (ctx, next) => {
        ctx.set('X-Run', `${++runs}`)
        await next()
        ctx.set('X-Enveloped', 'yes')
        ctx.body = { data: ctx.body }
      }
      const made: Middleware = (ctx) => {
        ctx.body = { made: true }
      }
      const port = await serveChain(Koa, envelope, layer(), made)
      const first = await exchange(port, { key: 'a' })
      const replay = await exchange(port, { key: 'a' })
      expect(first.body).toBe('{"data":{"made":true}}')
      expect(replay.body).toBe(first.body)
      expect(replay.head).toContain('X-Enveloped: yes')
      expect(replay.head).toContain('X-Run: 2')
    })

    it('keeps its reason phrase from the status of a replay', async () => {
      const early: Middleware = (ctx, next) => {
        ctx.status = 200
        return next()
      }
      const made: Middleware = (ctx) => {
        ctx.status = 201
      }
      const port = await serveChain(Koa, early, layer(), made)
      await exchange(port, { key: 'a' })
      expect((await exchange(port, { key: 'a' })).head).toContain('201 Created')
    })
  })
