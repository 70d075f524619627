import { createRequire } from 'node:module'
import { memoryStore } from '@retrysafe/memory'
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { type ExpressModule, versions } from './versions.js'

// Neither brings types of its own.
const require = createRequire(import.meta.url)
const multer = require('multer') as (options?: object) => {
  single(field: string): RequestHandler
}

const kinds: Record<
  string,
  {
    readonly type: string
    readonly body: string
    readonly other: string
    readonly parser: (express: ExpressModule) => RequestHandler
  }
> = {
  'express.json': {
    type: 'application/json',
    body: '{"sku":"A-100","delta":-5}',
    other: '{"sku":"A-100","delta":-6}',
    parser: (express) => express.json(),
  },
  'express.json that takes bare values': {
    type: 'application/json',
    body: '"A-100"',
    other: '"B-200"',
    parser: (express) => express.json({ strict: false }),
  },
  'express.urlencoded': {
    type: 'application/x-www-form-urlencoded',
    body: 'sku=A-100&tags=a&tags=b%20c',
    other: 'sku=A-100&tags=a&tags=c',
    parser: (express) => express.urlencoded({ extended: false }),
  },
  'express.urlencoded of nested fields': {
    type: 'application/x-www-form-urlencoded',
    body: 'order[sku]=A-100&order[tags][]=a&order[tags][]=b',
    other: 'order[sku]=A-100&order[tags][]=b&order[tags][]=a',
    parser: (express) => express.urlencoded({ extended: true }),
  },
  'express.raw': {
    type: 'application/octet-stream',
    body: 'bytes 1',
    other: 'bytes 2',
    parser: (express) => express.raw(),
  },
  'express.text': {
    type: 'text/plain',
    body: 'text 1',
    other: 'text 2',
    parser: (express) => express.text(),
  },
}

for (const [name, express] of versions) {
  const layer = (): RequestHandler => idempotency({ store: memoryStore(), scope: 'global' })
  const shown: RequestHandler = (request, response) => {
    const body: unknown = request.body
    response.json(Buffer.isBuffer(body) ? body.toString() : body)
  }

  describe(`a body parser of ${name}`, () => {
    for (const [parserName, { type, body, other, parser }] of Object.entries(kinds)) {
      const headers = { 'Content-Type': type }
      for (const [place, chain] of [
        ['in front of the layer', () => [parser(express), layer()]],
        ['behind the layer', () => [layer(), parser(express)]],
        ['in front of it and behind it', () => [parser(express), layer(), parser(express)]],
      ] as const)
        it(`${parserName} ${place}`, async () => {
          const app = express()
          app.post('/bare', parser(express), shown)
          app.post('/', ...chain(), shown)
          const port = await serve(app)
          const bare = await exchange(port, { path: '/bare', headers, body })
          const first = await exchange(port, { key: 'a', headers, body })
          expect(first.body).toBe(bare.body)
          const replay = await exchange(port, { key: 'a', headers, body })
          expect(replay.body).toBe(bare.body)
          expect(replay.head).toContain('Idempotent-Replayed: true')
          const mismatch = await exchange(port, { key: 'a', headers, body: other })
          expect(mismatch.head).toMatch(/^HTTP\/1.1 422 /)
        })
    }

    it('that refuses a body answers behind the layer as without it, and that is kept', async () => {
      const app = express()
      app.post('/bare', express.json(), shown)
      app.post('/', layer(), express.json(), shown)
      const port = await serve(app)
      const request = { key: 'a', headers: { 'Content-Type': 'application/json' }, body: '{' }
      const status = (head: string) => head.split(' ')[1]
      expect(status((await exchange(port, { ...request, path: '/bare' })).head)).toBe('400')
      expect(status((await exchange(port, request)).head)).toBe('400')
      const replay = await exchange(port, request)
      expect(status(replay.head)).toBe('400')
      expect(replay.head).toContain('Idempotent-Replayed: true')
    })

    it('that left no body for a request without one does no harm', async () => {
      const app = express()
      app.post('/', express.json(), layer(), (_request, response) => response.json('done'))
      const port = await serve(app)
      await exchange(port, { key: 'a' })
      expect((await exchange(port, { key: 'a' })).head).toContain('Idempotent-Replayed: true')
    })

    it('that made something of a chunked body without a byte does no harm: it is no body', async () => {
      const app = express()
      app.post('/', express.json(), layer(), (_request, response) => response.json('done'))
      const port = await serve(app)
      const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }
      await exchange(port, { key: 'a', headers, chunks: '0\r\n\r\n' })
      expect((await exchange(port, { key: 'a' })).head).toContain('Idempotent-Replayed: true')
    })

    it('that left its empty object for a body which something else has read is a mistake of set-up', async () => {
      const app = express()
      const reading: RequestHandler = (request, _response, next) => {
        request.resume().once('end', next)
      }
      app.post('/', reading, express.json(), layer(), shown)
      const port = await serve(app)
      for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }]) {
        const sent = headers['Transfer-Encoding']
          ? { chunks: '4\r\ntext\r\n0\r\n\r\n' }
          : { body: 'text' }
        const request = { key: 'a', headers: { 'Content-Type': 'text/plain', ...headers }, ...sent }
        const { head, body: problem } = await exchange(port, request)
        expect(head).toMatch(/^HTTP\/1.1 500 /)
        expect(JSON.parse(problem)).toMatchObject({ code: 'body-consumed' })
      }
    })

    it('that found an empty object is not taken for one that found nothing', async () => {
      const app = express()
      app.post('/', express.json(), layer(), shown)
      const port = await serve(app)
      const headers = { 'Content-Type': 'application/json' }
      expect((await exchange(port, { key: 'a', headers, body: '{}' })).body).toBe('{}')
      expect((await exchange(port, { key: 'a' })).head).toContain(' 422 ')
    })

    it('that skipped a media type leaves the body to the layer', async () => {
      const app = express()
      app.post('/', express.json(), layer(), express.text(), shown)
      const port = await serve(app)
      const request = { key: 'a', headers: { 'Content-Type': 'text/plain' }, body: 'text' }
      expect((await exchange(port, request)).body).toBe('"text"')
      expect((await exchange(port, { ...request, body: 'other' })).head).toContain(' 422 ')
    })
  })

  describe(`multer with ${name}`, () => {
    const body = [
      '--line',
      'Content-Disposition: form-data; name="sku"',
      '',
      'A-100',
      '--line',
      'Content-Disposition: form-data; name="scan"; filename="scan.txt"',
      '',
      'the scan',
      '--line--',
      '',
    ].join('\r\n')
    const request = {
      key: 'a',
      headers: { 'Content-Type': 'multipart/form-data; boundary=line' },
      body,
    }
    const scanned: RequestHandler = (given, response) => {
      const { file } = given as unknown as { file?: { buffer: Buffer } }
      response.json([given.body?.sku, file?.buffer.toString()])
    }

    it('in front of the layer is a mistake of set-up: its files are gone', async () => {
      const app = express()
      app.post('/', multer().single('scan'), layer(), scanned)
      const { head, body: problem } = await exchange(await serve(app), request)
      expect(head).toMatch(/^HTTP\/1.1 500 /)
      expect(JSON.parse(problem)).toMatchObject({ code: 'body-consumed' })
    })

    it('behind the layer finds its files', async () => {
      const app = express()
      app.post('/', layer(), multer().single('scan'), scanned)
      const port = await serve(app)
      for (const isReplay of [false, true]) {
        const answer = await exchange(port, request)
        expect(answer.body).toBe('["A-100","the scan"]')
        expect(answer.head.includes('Idempotent-Replayed')).toBe(isReplay)
      }
    })
  })
}
