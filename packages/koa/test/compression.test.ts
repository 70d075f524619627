import { gunzipSync } from 'node:zlib'
import type { Middleware } from 'koa'
import compress from 'koa-compress'
import { describe, expect, it } from 'vitest'
import { type Exchanged, exchange } from '../../express/test/exchange.js'
import { isReplay, layer, serveChain } from './application.js'
import { versions } from './versions.js'

const text = 'the answer, '.repeat(500)
const packs = { 'Accept-Encoding': 'gzip' }
const isPacked = ({ head }: Exchanged): boolean => /Content-Encoding: gzip/i.test(head)
const unpacked = (answer: Exchanged): string =>
  isPacked(answer) ? gunzipSync(Buffer.from(answer.body, 'latin1')).toString() : answer.body
const handler: Middleware = (ctx) => {
  ctx.body = text
}

for (const [name, Koa] of versions)
  describe(`koa-compress with ${name}`, () => {
    const compressed = compress({ br: false }) as Middleware
    for (const [place, chain] of [
      ['in front of the layer', () => [compressed, layer()]],
      ['behind the layer', () => [layer(), compressed]],
    ] as const)
      it(`${place}: every client can read its answer`, async () => {
        const port = await serveChain(Koa, ...chain(), handler)
        for (const [key, firstHeaders] of [
          ['packed', packs],
          ['plain', {}],
        ] as const) {
          const first = await exchange(port, { key, headers: firstHeaders })
          expect(isPacked(first)).toBe(key === 'packed')
          expect(unpacked(first)).toBe(text)
          for (const headers of [packs, {}]) {
            const replay = await exchange(port, { key, headers })
            expect(isReplay(replay)).toBe(true)
            expect(unpacked(replay)).toBe(text)
            if (!('Accept-Encoding' in headers)) expect(isPacked(replay)).toBe(false)
          }
        }
      })
  })
