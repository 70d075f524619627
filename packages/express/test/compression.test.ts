import { createRequire } from 'node:module'
import { gunzipSync } from 'node:zlib'
import { memoryStore } from '@retrysafe/memory'
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { type Exchanged, exchange, serve } from './exchange.js'
import { versions } from './versions.js'

const compression = createRequire(import.meta.url)('compression') as (
  options?: object,
) => RequestHandler

const text = 'the answer, '.repeat(500)
const packs = { 'Accept-Encoding': 'gzip' }
const isPacked = ({ head }: Exchanged): boolean => /Content-Encoding: gzip/i.test(head)
const unpacked = (answer: Exchanged): string =>
  isPacked(answer) ? gunzipSync(Buffer.from(answer.body, 'latin1')).toString() : answer.body

const handlers: Record<string, RequestHandler> = {
  send: (_request, response) => {
    response.type('text/plain').send(text)
  },
  'write and end': (_request, response) => {
    response.type('text/plain')
    for (let at = 0; at < text.length; at += 1_000) response.write(text.slice(at, at + 1_000))
    response.end()
  },
}

for (const [name, express] of versions)
  describe(`compression with ${name}`, () => {
    for (const [way, handler] of Object.entries(handlers))
      for (const place of ['in front of the layer', 'behind the layer'] as const)
        it(`${place}, of ${way}: every client can read its answer`, async () => {
          const layer = idempotency({ store: memoryStore(), scope: 'global' })
          const app = express()
          if (place === 'in front of the layer') app.use(compression())
          app.use(layer)
          if (place === 'behind the layer') app.use(compression())
          app.post('/', handler)
          const port = await serve(app)

          for (const [key, firstHeaders] of [
            ['packed', packs],
            ['plain', {}],
          ] as const) {
            const first = await exchange(port, { key, headers: firstHeaders })
            expect(isPacked(first)).toBe(key === 'packed')
            expect(unpacked(first)).toBe(text)
            for (const headers of [packs, {}]) {
              const replay = await exchange(port, { key, headers })
              expect(replay.head).toContain('Idempotent-Replayed: true')
              expect(unpacked(replay)).toBe(text)
              if (!('Accept-Encoding' in headers)) expect(isPacked(replay)).toBe(false)
            }
          }
        })
  })
