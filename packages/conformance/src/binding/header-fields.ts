import assert from 'node:assert/strict'
import type { HeaderPairs } from '@retrysafe/core'
import { isFirst, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { openShop, whole } from './shop.js'

/** Fields of one connection, one moment or one caller. */
const never: HeaderPairs = [
  ['WWW-Authenticate', 'Bearer realm="shop"'],
  ['Proxy-Authenticate', 'Basic'],
  ['Authentication-Info', 'nextnonce="1"'],
  ['Keep-Alive', 'timeout=77'],
  ['Age', '7'],
  ['Server-Timing', 'db;dur=53'],
  ['RateLimit-Remaining', '7'],
  ['RateLimit', '"default";r=7'],
  ['X-RateLimit-Remaining', '7'],
  ['X-Request-Id', 'request-1'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['Access-Control-Allow-Origin', 'https://shop.example'],
]

/** Which fields of an answer are given again. */
export const headerFields: readonly BindingGuarantee[] = [
  {
    name: 'fields that the handler set are replayed line by line, in order, as the first client got them',
    points: ['28'],
    check: async (harness) => {
      const headers: HeaderPairs = [
        ['ETag', '"1"'],
        ['Link', '<https://a.example/?a,b>; rel="next"'],
        ['Link', '<https://b.example/>; rel="prev"'],
        ['X-Names', 'one, two'],
        ['X-Names', 'three'],
        ['Cache-Control', 'private, max-age=60'],
        ['Content-Language', 'de'],
      ]
      const shop = await openShop(harness, { handler: () => whole(200, 'x', headers) })
      const first = await shop.send({ key: 'a' })
      const replay = await shop.send({ key: 'a' })
      for (const name of new Set(headers.map(([field]) => field))) {
        const lines = headers.filter(([field]) => field === name).map(([, value]) => value)
        // A framework on `Headers` has joined them before the layer can see them.
        assert.equal(first.lines(name).join(', '), lines.join(', '))
        assert.deepEqual(replay.lines(name), first.lines(name))
      }
      const order = (answer: typeof first) =>
        answer.headers.map(([name]) => name).filter((name) => headers.some(([n]) => n === name))
      assert.deepEqual(order(replay), order(first))
    },
  },
  {
    name: 'a cookie is set for the first client alone',
    points: ['28'],
    check: async (harness) => {
      const cookies: HeaderPairs = [
        ['Set-Cookie', 'session=1; HttpOnly'],
        ['Set-Cookie', 'theme=dark'],
      ]
      const shop = await openShop(harness, { handler: () => whole(200, 'x', cookies) })
      const first = await shop.send({ key: 'a' })
      assert.deepEqual(first.lines('Set-Cookie'), ['session=1; HttpOnly', 'theme=dark'])
      assert.deepEqual((await shop.send({ key: 'a' })).lines('Set-Cookie'), [])
    },
  },
  {
    name: 'fields of one connection, one moment or one caller are not replayed',
    points: ['28'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: () => whole(200, 'x', [...never, ['Date', 'Mon, 01 Jan 2001 00:00:00 GMT']]),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 200)
      const replay = await shop.send({ key: 'a' })
      for (const [name, value] of never) {
        assert.deepEqual(first.lines(name), [value])
        // A server may say Keep-Alive for itself.
        assert(!replay.lines(name).includes(value), `${name} was replayed`)
      }
      assert.notEqual(replay.header('Date'), first.header('Date'))
    },
  },
  {
    name: 'fields that Connection names are not replayed',
    points: ['28'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: () =>
          whole(200, 'x', [
            ['Connection', 'close, X-Hop'],
            ['X-Hop', '1'],
            ['X-Through', '1'],
          ]),
      })
      const first = await shop.send({ key: 'a' })
      assert.equal(first.header('X-Hop'), '1')
      const replay = await shop.send({ key: 'a' })
      assert.equal(replay.header('X-Through'), '1')
      assert.equal(replay.header('X-Hop'), undefined)
      assert(!replay.header('Connection')?.includes('X-Hop'))
    },
  },
  {
    name: 'replayHeaders names the only fields that are replayed',
    points: ['28'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { replayHeaders: ['Location', 'content-type'] },
        handler: () =>
          whole(201, 'x', [
            ['Content-Type', 'text/plain'],
            ['Location', '/orders/1'],
            ['X-Other', '1'],
          ]),
      })
      const first = await shop.send({ key: 'a' })
      const replay = await shop.send({ key: 'a' })
      isReplay(replay, first)
      assert.equal(replay.header('Location'), '/orders/1')
      assert.equal(replay.header('Content-Type'), first.header('Content-Type'))
      assert.equal(replay.header('X-Other'), undefined)
    },
  },
  {
    name: 'what was set in front of the layer is not kept: a replay bears what is set for it',
    points: ['28'],
    check: async (harness) => {
      let request = 0
      const shop = await openShop(harness, {
        outer: () => [
          ['X-Request-Number', String(++request)],
          ['Set-Cookie', `visit=${request}`],
        ],
        handler: () => whole(200, 'x', [['X-Inner', '1']]),
      })
      for (const number of ['1', '2']) {
        const answer = await shop.send({ key: 'a' })
        assert.deepEqual(answer.lines('X-Request-Number'), [number])
        assert.deepEqual(answer.lines('Set-Cookie'), [`visit=${number}`])
        assert.deepEqual(answer.lines('X-Inner'), ['1'])
      }
    },
  },
  {
    name: 'a field that the handler set replaces the one that was set in front of the layer',
    points: ['28'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        outer: () => [['Cache-Control', 'no-store']],
        handler: () => whole(200, 'x', [['Cache-Control', 'max-age=60']]),
      })
      for (const _ of ['first', 'replay'])
        assert.deepEqual((await shop.send({ key: 'a' })).lines('Cache-Control'), ['max-age=60'])
    },
  },
]
