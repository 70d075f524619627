import { createReadStream } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { memoryStore } from '@retrysafe/memory'
import type { Request, RequestHandler, Response } from 'express'
import { describe, expect, it } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { versions } from './versions.js'

const file = fileURLToPath(import.meta.url)

/** What handlers do to their response, and what came of it for them. */
const handlers: Record<string, (request: Request, response: Response) => unknown> = {
  'writeHead with a status': (_request, response) => response.writeHead(202).end('x'),
  'writeHead with a reason': (_request, response) => response.writeHead(202, 'Well Done').end('x'),
  'writeHead with an object of fields': (_request, response) =>
    response.writeHead(200, { 'X-One': '1', 'X-Many': ['1', '2'], 'Content-Length': 1 }).end('x'),
  'writeHead with a reason and fields': (_request, response) =>
    response.writeHead(200, 'Well Done', { 'Content-Type': 'text/plain' }).end('x'),
  'writeHead with a flat list of fields': (_request, response) =>
    response.writeHead(200, ['X-One', '1', 'X-One', '2', 'X-Two', '3']).end('x'),
  'writeHead over fields that were set': (_request, response) => {
    response.setHeader('X-One', '1')
    response.setHeader('X-Two', '2')
    response.writeHead(200, { 'x-one': '3' }).end('x')
  },
  'status, fields and send': (_request, response) =>
    response.status(201).set('X-One', '1').type('text/plain').send('caf\u00e9'),
  json: (_request, response) => response.status(422).json({ code: 'no stock' }),
  sendStatus: (_request, response) => response.sendStatus(202),
  redirect: (_request, response) => response.redirect(303, '/orders/1'),
  'cookies and several lines': (_request, response) =>
    response.cookie('a', '1').append('Link', '<a>').append('Link', '<b>').send('x'),
  'end without a body': (_request, response) => response.status(204).end(),
  'end with an encoding': (_request, response) => response.end('ff00', 'hex'),
  'write in every form': (_request, response) => {
    response.write('one ')
    response.write('dHdvIA==', 'base64')
    response.write(Uint8Array.of(0, 255))
    response.end()
  },
  'flushHeaders before the body': (_request, response) => {
    response.setHeader('X-One', '1')
    response.flushHeaders()
    response.end('x')
  },
  'a file that is piped': (_request, response) => createReadStream(file).pipe(response),
  sendFile: (_request, response) => response.sendFile(file),
  trailers: (request, response) => {
    if (request.method === 'HEAD') return response.end()
    response.writeHead(200, { Trailer: 'X-Sum' })
    response.write('x')
    response.addTrailers({ 'X-Sum': '1' })
    response.end()
  },
  'early hints and processing': (_request, response) => {
    response.writeProcessing()
    response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => response.send('x'))
  },
  'callbacks of write and end, and finish': (_request, response) => {
    const calls: string[] = []
    response.write('one ', () => calls.push('write'))
    response.write('two ', 'utf8', () => calls.push('write with an encoding'))
    response.once('finish', () => calls.push('finish'))
    response.end('three', () => {
      calls.push('end')
      told(response, calls)
    })
  },
  'what is told of the response': (_request, response) => {
    const facts = [response.headersSent, response.writableEnded, response.finished]
    response.write('x')
    facts.push(response.headersSent, response.writableEnded)
    response.end()
    facts.push(response.headersSent, response.writableEnded, response.finished)
    told(response, facts)
  },
  'an answer after the answer': (_request, response) => {
    response.send('first')
    const errors: unknown[] = []
    for (const late of [
      () => response.setHeader('X-Late', '1'),
      () => response.removeHeader('Content-Type'),
      () => response.writeHead(500),
      () => response.json({ second: true }),
    ])
      try {
        late()
        errors.push('nothing')
      } catch (error) {
        errors.push((error as NodeJS.ErrnoException).code)
      }
    told(response, errors)
  },
  'a status that is none': (_request, response) => {
    try {
      response.writeHead(99)
    } catch (error) {
      response.status(500).send((error as NodeJS.ErrnoException).code)
    }
  },
  'a field that is none': (_request, response) => {
    try {
      response.setHeader('X-One', 'a\nb')
    } catch (error) {
      response.status(500).send((error as NodeJS.ErrnoException).code)
    }
  },
  'memory that is used again': (_request, response) => {
    const memory = Buffer.from('one ')
    response.write(memory, () => {
      memory.write('two ')
      response.end(memory)
    })
  },
}

const facts: unknown[] = []
const told = (_response: Response, what: unknown): void => void facts.push(what)

for (const [name, express] of versions) {
  const served = async (handler: RequestHandler, isProtected: boolean): Promise<number> => {
    const app = express()
    app.disable('x-powered-by')
    if (isProtected) app.use(idempotency({ store: memoryStore(), scope: 'global' }))
    app.all('/', handler)
    return serve(app)
  }

  describe(`a response of ${name} behind the layer is what it is without`, () => {
    for (const [what, handler] of Object.entries(handlers))
      it(what, async () => {
        facts.length = 0
        const bare = await exchange(await served(handler, false), { key: 'a' })
        const expected = facts.splice(0)
        const port = await served(handler, true)
        expect(await exchange(port, { key: 'a' })).toEqual(bare)
        expect(facts.splice(0)).toEqual(expected)
        expect((await exchange(port, { key: 'a' })).body).toBe(bare.body)
        expect(await exchange(port)).toEqual(bare)
        expect(await exchange(port, { method: 'HEAD', key: 'a' })).toEqual(
          await exchange(await served(handler, false), { method: 'HEAD', key: 'a' }),
        )
      })
  })

  describe(`a handler of ${name} that heeds back-pressure`, () => {
    it('is told to wait while its client does not read, and to go on when it does', async () => {
      const chunk = Buffer.alloc(256 * 1024, 'x')
      const signs: boolean[] = []
      let drains = 0
      const port = await served((_request, response) => {
        let left = 40
        const more = (): void => {
          while (left > 0) {
            left--
            signs.push(response.write(chunk))
            if (!signs.at(-1)) {
              response.once('drain', () => {
                drains++
                more()
              })
              return
            }
          }
          response.end()
        }
        more()
      }, true)
      const { body } = await exchange(port, { key: 'a' })
      expect(body.replace(/[^x]/g, '').length).toBe(40 * chunk.length)
      expect(signs).toContain(false)
      expect(drains).toBeGreaterThan(0)
    })
  })
}
