import assert from 'node:assert/strict'
import { gunzipSync, gzipSync } from 'node:zlib'
import { everyByte } from '../store/fidelity.js'
import { hasRun, isFirst, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, type MadeAnswer, openShop, stream, whole } from './shop.js'

const sameTwice = (
  name: string,
  answer: () => MadeAnswer,
  more: (twice: { header(name: string): string | undefined }) => void = () => {},
): BindingGuarantee => ({
  name,
  points: ['16'],
  check: async (harness) => {
    const shop = await openShop(harness, { handler: answer })
    const first = await shop.send({ key: 'a' })
    const { status } = answer()
    isFirst(first, status)
    more(first)
    const replay = await shop.send({ key: 'a' })
    isReplay(replay, first)
    more(replay)
    assert.equal(replay.header('Content-Type'), first.header('Content-Type'))
    hasRun(shop, 1)
  },
})

const text = 'the answer, the answer, the answer'
const packed = gzipSync(text)

/** The answer of a key that has one. */
export const replays: readonly BindingGuarantee[] = [
  sameTwice('a JSON answer is replayed with its status, bytes and media type', () =>
    json(201, { id: 1, text: 'caf\u00e9' }),
  ),
  sameTwice('a binary answer is replayed byte by byte', () =>
    whole(200, everyByte, [['Content-Type', 'image/png']]),
  ),
  sameTwice('an empty answer is replayed as one', () => whole(201)),
  sameTwice(
    'a 204 is replayed as one',
    () => whole(204),
    // RFC 9110, section 8.6: a 204 bears no length.
    ({ header }) => assert.equal(header('Content-Length'), undefined),
  ),
  sameTwice(
    'a 303 is replayed with its Location',
    () => whole(303, '', [['Location', '/orders/1']]),
    ({ header }) => assert.equal(header('Location'), '/orders/1'),
  ),
  sameTwice('an answer in chunks is replayed whole', () =>
    stream(200, [['Content-Type', 'text/csv']], async function* () {
      for (const row of ['a,b\n', '1,2\n', '3,4\n']) yield Buffer.from(row)
    }),
  ),
  {
    name: 'replayedHeader renames the mark of a replay',
    points: ['16'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { replayedHeader: 'X-Replay' } })
      const first = await shop.send({ key: 'a' })
      const replay = await shop.send({ key: 'a' })
      assert.equal(first.header('X-Replay'), undefined)
      assert.equal(replay.header('X-Replay'), 'true')
      assert.equal(replay.header('Idempotent-Replayed'), undefined)
    },
  },
  {
    name: 'a record that one application made is replayed by another on the same store',
    points: ['20'],
    check: async (harness) => {
      const one = await openShop(harness, { handler: () => whole(200, everyByte) })
      const other = await openShop(harness, { store: one.store })
      const first = await one.send({ key: 'a' })
      isReplay(await other.send({ key: 'a' }), first)
      hasRun(other, 0)
    },
  },
  {
    name: 'a client that takes the coding of an answer gets it as it was made',
    points: ['16', '32'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: () =>
          whole(200, packed, [
            ['Content-Type', 'text/plain'],
            ['Content-Encoding', 'gzip'],
          ]),
      })
      const headers = { 'accept-encoding': 'br;q=0.5, gzip' }
      const first = await shop.send({ key: 'a', headers })
      const replay = await shop.send({ key: 'a', headers })
      isReplay(replay, first)
      assert.equal(replay.header('Content-Encoding'), 'gzip')
      assert.equal(gunzipSync(replay.body).toString(), text)
    },
  },
  {
    name: 'a client that does not take the coding of an answer gets it decoded',
    points: ['32'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: () =>
          whole(200, packed, [
            ['Content-Type', 'text/plain'],
            ['Content-Encoding', 'gzip'],
          ]),
      })
      await shop.send({ key: 'a', headers: { 'accept-encoding': 'gzip' } })
      for (const coding of [undefined, 'identity', 'gzip;q=0, br']) {
        const replay = await shop.send({
          key: 'a',
          ...(coding && { headers: { 'accept-encoding': coding } }),
        })
        assert.equal(replay.header('Content-Encoding'), undefined)
        assert.equal(replay.header('Content-Length'), String(text.length))
        assert.equal(replay.text(), text)
      }
    },
  },
]
