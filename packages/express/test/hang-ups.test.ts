import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { memoryStore } from '@retrysafe/memory'
import type { RequestHandler, Response } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { idempotency } from '../src/index.js'
import { exchange, serve } from './exchange.js'
import { versions } from './versions.js'

const chunks = Array.from({ length: 8 }, (_, at) => Buffer.alloc(64 * 1024, `${at}`))
const text = Buffer.concat(chunks).toString()

for (const [name, express] of versions) {
  const opened = async (handler: RequestHandler) => {
    const once = idempotency({ store: memoryStore(), scope: 'global' })
    const told: string[] = []
    for (const event of ['completed', 'failed'] as const)
      once.events.on(event, () => told.push(event))
    const app = express()
    app.post('/', once, handler)
    return { port: await serve(app), told }
  }

  describe(`a client of ${name} that goes before its answer begins`, () => {
    const ways: Record<string, (response: Response) => void> = {
      'stream.pipe': (response) => void Readable.from(chunks).pipe(response),
      'a loop that waits for drain': (response) => {
        const left = [...chunks]
        const more = (): void => {
          for (let next = left.shift(); next; next = left.shift())
            if (!response.write(next)) {
              response.once('drain', more)
              return
            }
          response.end()
        }
        more()
      },
      send: (response) => void response.send(text),
    }
    for (const [way, answer] of Object.entries(ways))
      it(`finds it on retry, given by ${way}`, async () => {
        let isGone = false
        const { port, told } = await opened((request, response) => {
          if (isGone) return answer(response)
          request.socket.once('close', () => {
            isGone = true
            answer(response)
          })
          socket.destroy()
        })
        const socket = connect(port, '127.0.0.1')
        socket.write('POST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\n\r\n')
        await vi.waitFor(() => expect(told).toEqual(['completed']))
        const retry = await exchange(port, { key: 'a' })
        expect(retry.head).toContain('Idempotent-Replayed: true')
        expect(retry.body).toBe(text)
      })
  })

  describe(`a client of ${name} that goes while its answer is piped and none of it has left`, () => {
    it('does not make the handler run again, though the pipeline gives up', async () => {
      let runs = 0
      const { port, told } = await opened((_request, response) => {
        runs++
        response.status(201).location('/orders/1')
        // It gives nothing yet.
        pipeline(new Readable({ read: () => socket.destroy() }), response).catch(() => undefined)
      })
      const socket = connect(port, '127.0.0.1')
      socket.write('POST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\n\r\n')
      await vi.waitFor(() => expect(told).toEqual(['completed']))
      const retry = await exchange(port, { key: 'a' })
      expect(retry.head).toMatch(/^HTTP\/1.1 409 /)
      expect(retry.head).toContain('Location: /orders/1')
      expect(retry.body).toContain('response-not-stored')
      expect(runs).toBe(1)
    })
  })

  describe(`a handler of ${name} whose source fails before anything has left`, () => {
    it('leaves a key that may run again at once', async () => {
      let runs = 0
      const { port, told } = await opened((_request, response) => {
        if (++runs > 1) {
          response.sendStatus(201)
          return
        }
        const source = new Readable({
          read() {
            this.destroy(new Error('the source failed'))
          },
        })
        // Nobody tells Express: the response that the pipeline has destroyed is all there is to go by.
        pipeline(source, response).catch(() => undefined)
      })
      await exchange(port, { key: 'a' }).catch(() => undefined)
      await vi.waitFor(() => expect(told).toEqual(['failed']))
      expect((await exchange(port, { key: 'a' })).head).toMatch(/^HTTP\/1.1 201 /)
    })
  })

  describe(`a handler of ${name} whose answer is replaced by what stands`, () => {
    it('has its callbacks called all the same', async () => {
      const store = memoryStore()
      const calls: string[] = []
      const app = express()
      app.post(
        '/',
        idempotency({ store: { ...store, complete: async () => 'stale' }, scope: 'global' }),
        (_request, response) => {
          response.once('finish', () => calls.push('finish'))
          response.end('dropped', () => calls.push('end'))
        },
      )
      const { head, body } = await exchange(await serve(app), { key: 'a' })
      expect(head).toMatch(/^HTTP\/1.1 409 /)
      expect(body).not.toContain('dropped')
      await vi.waitFor(() => expect(calls.sort()).toEqual(['end', 'finish']))
    })
  })
}
