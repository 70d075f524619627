import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { hasRun, isFirst } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { openShop, stream } from './shop.js'
import { gate } from './waiting.js'

const chunkBytes = 64 * 1024
const chunks = 160

/** Each chunk begins elsewhere in the noise, so that none can be lost, doubled or moved unseen. */
const noise = randomBytes(chunkBytes + chunks)
const chunkAt = (at: number): Buffer => noise.subarray(at, at + chunkBytes)

/** Answers that are made while they are sent. */
export const streams: readonly BindingGuarantee[] = [
  {
    name: 'chunks leave as the handler makes them',
    points: ['30'],
    check: async (harness) => {
      const more = gate()
      const shop = await openShop(harness, {
        handler: () =>
          stream(200, [['Content-Type', 'text/plain']], async function* () {
            yield Buffer.from('one ')
            await more.opened
            yield Buffer.from('two ')
          }),
      })
      const conversation = shop.converse({ key: 'a' })
      await conversation.receives(4)
      assert.equal(conversation.received().toString(), 'one ')
      more.open()
      const answer = await conversation.answer()
      isFirst(answer, 200)
      assert.equal(answer.text(), 'one two ')
    },
  },
  {
    name: 'an answer of 10 MB arrives whole',
    points: ['30', '31'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: () =>
          stream(200, [], async function* () {
            for (let at = 0; at < chunks; at++) yield chunkAt(at)
          }),
      })
      const answer = await shop.send({ key: 'a' })
      isFirst(answer, 200)
      assert.equal(answer.body.length, chunks * chunkBytes)
      for (let at = 0; at < chunks; at++)
        assert(answer.body.subarray(at * chunkBytes, (at + 1) * chunkBytes).equals(chunkAt(at)))
      hasRun(shop, 1)
    },
  },
]
