import { gzipSync } from 'node:zlib'
import bodyParser from '@koa/bodyparser'
import { memoryStore } from '@retrysafe/memory'
import type { Context, Middleware } from 'koa'
import { describe, expect, it } from 'vitest'
import { exchange } from '../../express/test/exchange.js'
import { idempotency } from '../src/index.js'
import { isReplay, layer, serveChain } from './application.js'
import { versions } from './versions.js'

const kinds: Record<string, { type: string; body: string; other: string }> = {
  JSON: {
    type: 'application/json',
    body: '{"sku":"A-100","n":1}',
    other: '{"sku":"A-100","n":1.0}',
  },
  'a form': {
    type: 'application/x-www-form-urlencoded',
    body: 'sku=A-100&tags[]=a&tags[]=b%20c',
    other: 'sku=A-100&tags[]=b%20c&tags[]=a',
  },
  text: { type: 'text/plain', body: 'text 1', other: 'text 2' },
}
const parser = (): Middleware => bodyParser({ enableTypes: ['json', 'form', 'text'] }) as Middleware
const shown: Middleware = (ctx) => {
  ctx.body = { body: ctx.request.body }
}
const read = async (ctx: Context): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of ctx.req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
/** A parser that leaves nothing but what it makes of the body, as koa-body, raw-body and multipart parsers do. */
const leaving =
  (make: (bytes: Buffer) => unknown): Middleware =>
  async (ctx, next) => {
    ctx.request.body = make(await read(ctx))
    await next()
  }

for (const [name, Koa] of versions) {
  describe(`@koa/bodyparser in ${name}`, () => {
    for (const [kind, { type, body, other }] of Object.entries(kinds)) {
      const headers = { 'Content-Type': type }
      for (const [place, chain] of [
        ['in front of the layer', () => [parser(), layer()]],
        ['behind the layer', () => [layer(), parser()]],
        ['in front of it and behind it', () => [parser(), layer(), parser()]],
      ] as const)
        it(`takes ${kind} ${place}`, async () => {
          const bare = await exchange(await serveChain(Koa, parser(), shown), { headers, body })
          const port = await serveChain(Koa, ...chain(), shown)
          const first = await exchange(port, { key: 'a', headers, body })
          expect(first.body).toBe(bare.body)
          const replay = await exchange(port, { key: 'a', headers, body })
          expect(replay.body).toBe(bare.body)
          expect(isReplay(replay)).toBe(true)
          const mismatch = await exchange(port, { key: 'a', headers, body: other })
          expect(mismatch.head).toMatch(/^HTTP\/1.1 422 /)
        })
    }

    it('leaves a body that it does not take to the layer and to the handler', async () => {
      const echo: Middleware = async (ctx) => {
        ctx.body = await read(ctx)
      }
      const port = await serveChain(Koa, parser(), layer(), echo)
      const request = { key: 'a', headers: { 'Content-Type': 'image/png' }, body: 'bytes' }
      expect((await exchange(port, request)).body).toBe('bytes')
      expect((await exchange(port, { ...request, body: 'other' })).head).toContain(' 422 ')
    })

    it('has unpacked a body in front of the layer, and it is the same request behind it', async () => {
      const store = memoryStore()
      const once = () => idempotency({ store, scope: 'global' })
      const ports = await Promise.all([
        serveChain(Koa, parser(), once(), shown),
        serveChain(Koa, once(), parser(), shown),
      ])
      const request = {
        key: 'a',
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
        body: gzipSync('{"sku":"A-100"}').toString('latin1'),
      }
      expect(isReplay(await exchange(ports[0], request))).toBe(false)
      expect(isReplay(await exchange(ports[1], request))).toBe(true)
    })
  })

  describe(`a body that ${name} refuses`, () => {
    it('is answered with the refusal alone, also while it is still being sent', async () => {
      const port = await serveChain(Koa, layer(), shown)
      const body = 'x'.repeat(4 * 1024 * 1024)
      const answer = await exchange(port, { key: 'a', body })
      expect(answer.head).toMatch(/^HTTP\/1.1 413 /)
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'body-too-large' })
    })
  })

  describe(`what other parsers leave in ${name}`, () => {
    const json = { 'Content-Type': 'application/json' }

    it('is compared: a value', async () => {
      const port = await serveChain(
        Koa,
        leaving((bytes) => JSON.parse(`${bytes}`)),
        layer(),
        shown,
      )
      await exchange(port, { key: 'a', headers: json, body: '{"a":1,"b":2}' })
      expect(
        isReplay(await exchange(port, { key: 'a', headers: json, body: '{"b":2, "a":1}' })),
      ).toBe(true)
      expect(
        (await exchange(port, { key: 'a', headers: json, body: '{"a":2,"b":2}' })).head,
      ).toContain(' 422 ')
    })

    it('is compared: bytes', async () => {
      const port = await serveChain(
        Koa,
        leaving((bytes) => bytes),
        layer(),
        shown,
      )
      const headers = { 'Content-Type': 'image/png' }
      await exchange(port, { key: 'a', headers, body: 'bytes' })
      expect(isReplay(await exchange(port, { key: 'a', headers, body: 'bytes' }))).toBe(true)
      expect((await exchange(port, { key: 'a', headers, body: 'other' })).head).toContain(' 422 ')
    })

    for (const [what, left] of [
      ['nothing', undefined],
      ['an empty object', {}],
    ] as const)
      it(`is a mistake of set-up where it is ${what}`, async () => {
        const port = await serveChain(
          Koa,
          leaving(() => left),
          layer(),
          shown,
        )
        const headers = { 'Content-Type': 'multipart/form-data; boundary=line' }
        const { head, body } = await exchange(port, { key: 'a', headers, body: '--line--\r\n' })
        expect(head).toMatch(/^HTTP\/1.1 500 /)
        expect(JSON.parse(body)).toMatchObject({ code: 'body-consumed' })
      })

    it('for a chunked body without a byte is no body, whatever it is', async () => {
      const port = await serveChain(
        Koa,
        leaving(() => ({})),
        layer(),
        shown,
      )
      const chunked = { ...json, 'Transfer-Encoding': 'chunked' }
      await exchange(port, { key: 'a', headers: chunked, chunks: '0\r\n\r\n' })
      expect(isReplay(await exchange(port, { key: 'a' }))).toBe(true)
    })
  })
}
