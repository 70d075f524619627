import { gunzipSync } from 'node:zlib'
import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { setCookie } from 'hono/cookie'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { logger } from 'hono/logger'
import { prettyJSON } from 'hono/pretty-json'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { streamText } from 'hono/streaming'
import { timing } from 'hono/timing'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, type Sent, serve } from './exchange.js'

const text = JSON.stringify({ text: 'the answer, '.repeat(200) })
const handler = (c: Context) => {
  c.header('X-One', '1')
  return c.json(JSON.parse(text), 201, { Vary: 'X-Tenant' })
}

const middlewares: Record<string, () => MiddlewareHandler> = {
  'compress()': () => compress(),
  'cors()': () => cors({ origin: 'http://page', credentials: true }),
  'etag()': () => etag(),
  'secureHeaders()': () => secureHeaders(),
  'logger()': () => logger(() => {}),
  'prettyJSON()': () => prettyJSON(),
  'requestId()': () => requestId({ generator: () => 'request-1' }),
  'timing()': () => timing({ total: false }),
  'c.res looked at': () => async (c, next) => {
    c.res.headers.set('X-Looked', '1')
    await next()
  },
  'c.header() before and after': () => async (c, next) => {
    c.header('X-Before', '1')
    c.header('X-One', 'overwritten')
    await next()
    c.header('X-After', '1')
  },
  'another answer in place': () => async (c, next) => {
    await next()
    c.res = new Response(c.res.body, { status: 202, headers: { 'X-Own': '1' } })
  },
}

const sent: Sent = { headers: { 'Accept-Encoding': 'gzip', Origin: 'http://page' } }

const served = (...chain: MiddlewareHandler[]) => {
  const app = new Hono()
  for (const middleware of chain) app.use(middleware)
  app.post('/', handler)
  return serve(app)
}
const layer = () => idempotency({ store: memoryStore(), scope: 'global' })

describe('a first answer is what it would be without the layer, and its replay as good', () => {
  for (const [name, middleware] of Object.entries(middlewares))
    for (const place of ['in front', 'behind'])
      it(`with ${name} ${place}`, async () => {
        const bare = await exchange(await served(middleware()), sent)
        const [one, two] = place === 'behind' ? [layer(), middleware()] : [middleware(), layer()]
        const port = await served(one, two)
        const request = { ...sent, key: 'k' }
        const first = await exchange(port, request)
        expect(asSeen(first)).toEqual(asSeen(bare))
        const replay = await exchange(port, request)
        expect(replay.head).toContain('idempotent-replayed: true')
        expect(contentOf(replay)).toBe(contentOf(bare))
        // What cannot be given again is set anew in front of the layer, or by nobody.
        const given =
          /\n(access-control-|server-timing|x-request-id|set-cookie|content-length|transfer-)/
        for (const line of first.head.split('\n').slice(1))
          if (!given.test(`\n${line}`)) expect(replay.head.split('\n')).toContain(line)
        expect(asSeen(await exchange(port, sent))).toEqual(asSeen(bare))
      })

  it('and the replay of a compressed one can be read by who accepts none', async () => {
    const port = await served(layer(), compress())
    const first = await exchange(port, { ...sent, key: 'k' })
    expect(first.head).toContain('content-encoding: gzip')
    const replay = await exchange(port, { key: 'k' })
    expect(replay.head).not.toContain('content-encoding')
    expect(replay.body).toBe(text)
  })
})

describe('an answer that says it comes in chunks, and that Hono has wrapped', () => {
  it('has no length beside it', async () => {
    const shop = (...chain: MiddlewareHandler[]) => {
      const app = new Hono()
      for (const middleware of chain) app.use(middleware)
      app.post('/', (c) => streamText(c, async (out) => void (await out.write('one'))))
      return serve(app)
    }
    const bare = await exchange(await shop(cors()))
    expect(bare.head).toContain('transfer-encoding: chunked')
    expect(await exchange(await shop(cors(), layer()), { key: 'k' })).toEqual(bare)
  })
})

describe('cookies that are set in front of the layer', () => {
  it('stay one line each, on a first answer and on a replay', async () => {
    let visits = 0
    const port = await served(async (c, next) => {
      setCookie(c, 'visit', String(++visits), { expires: new Date(0) })
      setCookie(c, 'theme', 'dark')
      await next()
    }, layer())
    for (const visit of ['1', '2']) {
      const { head } = await exchange(port, { key: 'k' })
      expect(head.match(/\nset-cookie: .*/g)).toEqual([
        '\nset-cookie: theme=dark; Path=/',
        `\nset-cookie: visit=${visit}; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
      ])
    }
  })
})

/** Compressed bytes may differ from one time to the other; what they say may not. */
const contentOf = ({ head, body }: { head: string; body: string }): string =>
  head.includes('content-encoding: gzip')
    ? gunzipSync(Buffer.from(body, 'latin1')).toString()
    : body

const asSeen = (answer: { head: string; body: string; isWhole: boolean }) => ({
  ...answer,
  body: contentOf(answer),
})
