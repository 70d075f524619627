import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem } from './expecting.js'
import type { BindingGuarantee, HandlerIo, SuiteRoute } from './harness.js'
import { connect } from './raw-client.js'
import { json, openShop } from './shop.js'

const mebibyte = 1024 * 1024

/** What a handler read, so that it can be compared: bytes, or the value of a parser. */
const echo = async (io: HandlerIo) => {
  const body = await io.body()
  return json(200, body instanceof Uint8Array ? Buffer.from(body).toString('latin1') : { body })
}

const bodies = {
  JSON: { json: { a: [1, { b: null }] } },
  'a form': {
    body: 'a=1&b=%20',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  },
  'no body': {},
  'an empty body': { body: '', headers: { 'content-type': 'application/json' } },
  'JSON in chunks': {
    body: '{"a":1}',
    headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  },
} as const

const readable = (name: string, parser: SuiteRoute['parser']): BindingGuarantee => ({
  name,
  points: ['25'],
  check: async (harness) => {
    const shop = await openShop(harness, { parser, handler: echo })
    const bare = await openShop(harness, { parser, handler: echo, layers: () => [] })
    for (const [kind, request] of Object.entries(bodies)) {
      const answer = await shop.send({ key: `"${kind}"`, ...request })
      isFirst(answer, 200)
      assert.equal(answer.text(), (await bare.send(request)).text(), kind)
    }
    hasRun(shop, Object.keys(bodies).length)
  },
})

/** The body of a request: compared, and still there for everyone. */
export const requestBodies: readonly BindingGuarantee[] = [
  readable('a handler reads the bytes of the body as if the layer were not there', 'none'),
  readable('a parser in front of the layer is not disturbed', 'before'),
  readable('a parser behind the layer finds the whole body', 'after'),
  {
    name: 'a body of one mebibyte is compared and comes whole to the handler',
    points: ['25'],
    check: async (harness) => {
      const body = Buffer.alloc(mebibyte, 'the quick brown fox. ')
      const shop = await openShop(harness, {
        handler: async (io) => json(200, body.equals((await io.body()) as Uint8Array)),
      })
      for (const [key, headers] of [
        ['declared', {}],
        ['chunked', { 'transfer-encoding': 'chunked' }],
      ] as const)
        assert.equal((await shop.send({ key, body, headers })).text(), 'true')
    },
  },
  {
    name: 'a body over maxRequestBody is refused, whether its length is declared or not',
    points: ['25'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { maxRequestBody: 100 } })
      for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
        const answer = await shop.send({ key: 'a', body: Buffer.alloc(101), headers })
        isProblem(answer, 413, 'body-too-large')
      }
      hasRun(shop, 0)
      isFirst(await shop.send({ key: 'a', body: Buffer.alloc(100) }))
    },
  },
  {
    name: 'the refusal of a large body reaches a client that sends it to its end before it reads',
    points: ['25'],
    check: async (harness) => {
      const shop = await openShop(harness)
      const body = Buffer.alloc(4 * mebibyte)
      const head = `POST /orders HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: a\r\nContent-Length: ${body.length}`
      for (const connectionLine of ['', '\r\nConnection: close']) {
        const connection = connect(shop.port)
        connection.stopReading()
        await connection.write(`${head}${connectionLine}\r\n\r\n`)
        await connection.write(body)
        connection.readOn()
        await connection.receives('body-too-large')
        assert(connection.received().startsWith('HTTP/1.1 413 '), connection.received())
        connection.hangUp()
      }
      hasRun(shop, 0)
    },
  },
  {
    name: 'a body that was read away in front of the layer is a mistake of set-up, not an empty one',
    points: ['25'],
    check: async (harness) => {
      const shop = await openShop(harness, { parser: 'swallowed' })
      isProblem(await shop.send({ key: 'a', json: { sku: 1 } }), 500, 'body-consumed')
      hasRun(shop, 0)
      assert.equal(shop.store.calls('acquire'), 0)
    },
  },
]
