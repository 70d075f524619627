import { connect, createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { memoryStore } from '@retrysafe/memory'
import { type Context, Hono, type MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { validator } from 'hono/validator'
import { describe, expect, it } from 'vitest'
import { type HonoOptions, idempotency } from '../src/index.js'
import { exchange, type Sent, serve } from './exchange.js'

const json: Sent = { body: '{"a":[1,"\u00e9"]}', headers: { 'Content-Type': 'application/json' } }
const form: Sent = {
  body: 'a=1&b=2&a=%20',
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
}
const multipart: Sent = {
  body: '--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\nfile\r\n--x--\r\n',
  headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
}
const binary: Sent = {
  body: Uint8Array.from({ length: 256 }, (_, at) => at),
  headers: { 'Content-Type': 'application/octet-stream' },
}

const hex = (content: ArrayBuffer | Uint8Array) =>
  Buffer.from(content as Uint8Array).toString('hex')

type Reading = (c: Context) => Promise<unknown>

/** What handlers do to see the body. */
const readings: Record<string, readonly [Sent, Reading]> = {
  'c.req.json()': [json, (c) => c.req.json()],
  'c.req.json() twice': [json, async (c) => [await c.req.json(), await c.req.json()]],
  'c.req.text() and json()': [json, async (c) => [await c.req.text(), await c.req.json()]],
  'c.req.arrayBuffer()': [binary, async (c) => hex(await c.req.arrayBuffer())],
  'c.req.bytes()': [binary, async (c) => hex(await c.req.bytes())],
  'c.req.blob()': [binary, async (c) => hex(await (await c.req.blob()).arrayBuffer())],
  'c.req.parseBody()': [form, (c) => c.req.parseBody({ all: true })],
  'c.req.formData()': [form, async (c) => [...(await c.req.formData())]],
  'c.req.parseBody() with a file': [
    multipart,
    async (c) => ((await c.req.parseBody()).f as File).text(),
  ],
  'c.req.raw.json()': [json, (c) => c.req.raw.json()],
  'c.req.raw.body': [binary, async (c) => hex(await new Response(c.req.raw.body).arrayBuffer())],
  'c.req.raw.clone()': [json, async (c) => [await c.req.raw.clone().text(), await c.req.text()]],
  'new Request(c.req.raw)': [json, (c) => new Request('http://other/', c.req.raw).json()],
}

/** What stands on the way of the body beside the layer. */
const others: Record<string, MiddlewareHandler> = {
  nothing: (_c, next) => next(),
  "validator('json')": validator('json', (value) => value),
  "validator('form')": validator('form', (value) => value),
  'c.req.json()': async (c, next) => {
    await c.req.json().catch(() => {})
    await next()
  },
  'c.req.text()': async (c, next) => {
    await c.req.text()
    await next()
  },
  'c.req.parseBody()': async (c, next) => {
    await c.req.parseBody()
    await next()
  },
  'c.req.arrayBuffer()': async (c, next) => {
    await c.req.arrayBuffer()
    await next()
  },
  'c.req.blob()': async (c, next) => {
    await c.req.blob()
    await next()
  },
  'bodyLimit()': bodyLimit({ maxSize: 10_000 }),
  'another Request in place': async (c, next) => {
    c.req.raw = new Request(c.req.raw)
    await next()
  },
}

/** Those that read any body as text. */
const asText = ['c.req.json()', 'c.req.text()']

const once = (options: Partial<HonoOptions> = {}) =>
  idempotency({ store: memoryStore(), scope: 'global', ...options })

const names = Object.keys(readings)

/** A route for each reading, behind the same chain. */
const served = (chain: MiddlewareHandler[]) => {
  const app = new Hono()
  app.onError((error, c) => c.text(error.message, error instanceof HTTPException ? 400 : 500))
  for (const middleware of chain) app.use(middleware)
  for (const [at, name] of names.entries())
    app.post(`/${at}`, async (c) => {
      return c.json({ read: await readings[name]?.[1](c) }, 201)
    })
  return serve(app)
}

describe('a body is what it would be without the layer', () => {
  for (const [other, middleware] of Object.entries(others))
    it(`with ${other} in front of the layer, and behind it`, { timeout: 60_000 }, async () => {
      const bare = await served([middleware])
      const ports = {
        behind: await served([middleware, once()]),
        'in front': await served([once(), middleware]),
        'without comparison': await served([once({ fingerprint: false }), middleware]),
      }
      for (const [at, name] of names.entries())
        for (const framing of [{}, { 'Transfer-Encoding': 'chunked' }]) {
          const [sent = json] = readings[name] ?? []
          const request: Sent = {
            ...sent,
            path: `/${at}`,
            headers: { ...sent.headers, ...framing },
          }
          const untouched = await exchange(bare, request)
          for (const [place, port] of Object.entries(ports)) {
            const key = `${at}-${Object.keys(framing).length}`
            const first = await exchange(port, { ...request, key })
            // Text is all that is left, and it stands for more than one body.
            const isLossy = sent === binary && place === 'behind' && asText.includes(other)
            if (isLossy) expect(first.body, name).toContain('body-consumed')
            else expect(first, `${name} ${place}`).toEqual(untouched)
            if (!first.head.includes('201')) continue
            const replay = await exchange(port, { ...request, key })
            expect(replay.head, `${name} ${place}`).toContain('idempotent-replayed: true')
          }
        }
    })
})

describe('a body that was read in front of the layer', () => {
  const afterReading = (reading: Reading, options?: Partial<HonoOptions>) => {
    const app = new Hono()
    app.use(async (c, next) => {
      await reading(c)
      await next()
    })
    let runs = 0
    app.post('/', once(options), (c) => c.json({ runs: ++runs }))
    return serve(app)
  }

  it('is compared, however it was read', async () => {
    const ways: readonly (readonly [Sent, Sent, Reading])[] = [
      [json, { ...json, body: '{"a":[1,"e"]}' }, (c) => c.req.json()],
      [form, { ...form, body: 'a=1&b=3&a=%20' }, (c) => c.req.formData()],
      [form, { ...form, body: 'a=1&b=3&a=%20' }, (c) => c.req.parseBody()],
      // This one keeps the bytes as well.
      [{ ...form, body: 'a=%ff' }, { ...form, body: 'a=%fe' }, (c) => c.req.parseBody()],
      [binary, { ...binary, body: 'other' }, (c) => c.req.blob()],
    ]
    for (const [sent, changed, reading] of ways) {
      const port = await afterReading(reading)
      await exchange(port, { ...sent, key: 'a' })
      expect((await exchange(port, { ...sent, key: 'a' })).head).toContain('idempotent-replayed')
      expect((await exchange(port, { ...changed, key: 'a' })).body).toContain('key-reused')
    }
  })

  it('makes the same request as one that was not', async () => {
    const store = memoryStore()
    for (const [sent, reading] of [
      [form, (c: Context) => c.req.formData()],
      [json, (c: Context) => c.req.json()],
    ] as const) {
      const key = sent === form ? 'form' : 'json'
      const read = await afterReading(reading, { store })
      const unread = await afterReading(async () => {}, { store })
      await exchange(read, { ...sent, key })
      expect((await exchange(unread, { ...sent, key })).head).toContain('idempotent-replayed')
    }
  })

  it('and of which nothing is left is a mistake of set-up', async () => {
    for (const [sent, reading] of [
      [json, (c: Context) => c.req.raw.text()],
      [multipart, (c: Context) => c.req.formData()],
      [binary, (c: Context) => c.req.text()],
      // Bytes that are no UTF-8 are all one character then, in a name too.
      [{ ...form, body: 'a=%ff' }, (c: Context) => c.req.formData()],
      [{ ...form, body: '%fe=1&b=2' }, (c: Context) => c.req.formData()],
      [{ ...form, body: Uint8Array.of(0x61, 0x3d, 0xff) }, (c: Context) => c.req.formData()],
    ] as const) {
      const port = await afterReading(reading)
      const answer = await exchange(port, { ...sent, key: 'a' })
      expect(answer.head).toContain('500')
      expect(answer.body).toContain('body-consumed')
    }
  })

  it('is refused where it is larger than can be compared', async () => {
    const port = await afterReading((c) => c.req.text(), { maxRequestBody: 4 })
    expect((await exchange(port, { ...json, key: 'a' })).body).toContain('body-too-large')
  })
})

describe('what was sent', () => {
  it('tells two keys from one with a comma, also where the syntax is opaque', async () => {
    const app = new Hono()
    app.post('/', once({ keySyntax: 'opaque' }), (c) => c.json({ key: c.var.idempotency.key }))
    const port = await serve(app)
    expect((await exchange(port, { key: 'a, b' })).body).toBe('{"key":"a, b"}')
    const two = { 'Idempotency-Key': 'a\r\nIdempotency-Key: b' }
    expect((await exchange(port, { headers: two })).body).toContain('key-invalid')
  })

  it('is compared by its path as sent, not as a URL makes it', async () => {
    const app = new Hono()
    app.post('*', once(), (c) => c.text('x'))
    const port = await serve(app)
    await exchange(port, { key: 'a', path: '/a/../orders' })
    expect((await exchange(port, { key: 'a', path: '/orders' })).body).toContain('key-reused')
  })
})

describe('a body that came by HTTP/2, where no field declares it', () => {
  it('is compared and read as any other', async () => {
    const app = new Hono()
    app.post('/', once(), async (c) => c.json({ read: await c.req.json() }))
    const server = createAdaptorServer({ fetch: app.fetch, createServer })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const ask = (body: string) =>
      new Promise<string>((resolve, reject) => {
        const stream = session.request({
          ':method': 'POST',
          'idempotency-key': 'k',
          'content-type': 'application/json',
        })
        let head = ''
        let text = ''
        stream.once('response', (fields) => {
          head = `${fields[':status']} ${fields['idempotent-replayed'] ?? 'first'}`
        })
        stream.on('data', (chunk) => {
          text += chunk
        })
        stream.once('end', () => resolve(`${head} ${text}`)).once('error', reject)
        stream.end(body)
      })
    try {
      expect(await ask('{"a":1}')).toBe('200 first {"read":{"a":1}}')
      expect(await ask('{"a":1}')).toBe('200 true {"read":{"a":1}}')
      expect(await ask('{"a":2}')).toContain('key-reused')
    } finally {
      session.close()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
