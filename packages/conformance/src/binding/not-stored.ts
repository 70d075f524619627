import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop, type Shop, stream, whole } from './shop.js'
import { gate, until } from './waiting.js'

const leaseMs = 60_000

const cannotBeGivenAgain = async (shop: Shop): Promise<void> => {
  isProblem(await shop.send({ key: 'a' }), 409, 'response-not-stored')
  hasRun(shop, 1)
}

/** Answers that have happened, and cannot be given again. */
export const notStored: readonly BindingGuarantee[] = [
  {
    name: 'a body of maxStoredBody is kept, a larger one is not, and its client gets all of it',
    points: ['31'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { maxStoredBody: 100 },
        handler: (_io, run) => whole(200, 'x'.repeat(99 + run)),
      })
      isFirst(await shop.send({ key: 'kept' }), 200)
      assert.equal((await shop.send({ key: 'kept' })).text().length, 100)
      const large = await shop.send({ key: 'a' })
      isFirst(large, 200)
      assert.equal(large.text().length, 101)
      isProblem(await shop.send({ key: 'a' }), 409, 'response-not-stored')
      hasRun(shop, 2)
    },
  },
  {
    name: 'who cannot be given the answer is told the Location that it had',
    points: ['31'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { maxStoredBody: 10 },
        handler: () => whole(201, 'x'.repeat(11), [['Location', '/orders/1']]),
      })
      isFirst(await shop.send({ key: 'a' }))
      const answer = await shop.send({ key: 'a' })
      isProblem(answer, 409, 'response-not-stored')
      assert.equal(answer.header('Location'), '/orders/1')
      assert.equal(answer.header('Retry-After'), undefined)
    },
  },
  {
    name: 'the byte that makes an answer too long leaves when that is recorded',
    points: ['29', '31'],
    check: async (harness) => {
      const stored = gate()
      const end = gate()
      const shop = await openShop(harness, {
        options: { maxStoredBody: 10 },
        handler: () =>
          stream(200, [], async function* () {
            for (const chunk of ['0123456', '789abcd', 'end']) yield Buffer.from(chunk)
            await end.opened
          }),
      })
      shop.store.faults.complete = async (go) => {
        await stored.opened
        return go()
      }
      const conversation = shop.converse({ key: 'a' })
      await until('it is to be recorded', () => shop.store.calls('complete') === 1)
      await shop.send({ method: 'GET', path: '/elsewhere' })
      assert.equal(conversation.received().toString(), '0123456')
      stored.open()
      await conversation.receives(17)
      // In mid-stream, and the process may die now: it does not run again.
      shop.store.advance(leaseMs)
      await cannotBeGivenAgain(shop)
      end.open()
      assert.equal((await conversation.answer()).text(), '0123456789abcdend')
    },
  },
  {
    name: 'an event stream is recorded as such with its head, and flows on',
    points: ['31'],
    check: async (harness) => {
      const next = gate()
      const shop = await openShop(harness, {
        handler: () =>
          stream(200, [['Content-Type', 'text/event-stream; charset=utf-8']], async function* () {
            yield Buffer.from('data: 1\n\n')
            await next.opened
            yield Buffer.from('data: 2\n\n')
          }),
      })
      const conversation = shop.converse({ key: 'a' })
      await conversation.receives(9)
      assert.equal(stateOf(shop), 'completed')
      await cannotBeGivenAgain(shop)
      next.open()
      const answer = await conversation.answer()
      isFirst(answer, 200)
      assert.equal(answer.text(), 'data: 1\n\ndata: 2\n\n')
    },
  },
  {
    name: 'an answer whose source fails after its head has left does not run again',
    points: ['31'],
    check: async (harness) => {
      const fails = gate()
      const shop = await openShop(harness, {
        handler: () =>
          stream(200, [], async function* () {
            yield Buffer.from('one ')
            await fails.opened
            throw new Error('the source failed')
          }),
      })
      const conversation = shop.converse({ key: 'a' })
      await conversation.receives(4)
      fails.open()
      assert.equal((await conversation.answer()).isWhole, false)
      await until('that is recorded', () => stateOf(shop) !== 'in_flight')
      await cannotBeGivenAgain(shop)
    },
  },
  {
    name: 'a failure stays one, whatever its size',
    points: ['31'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { maxStoredBody: 10 },
        handler: (_io, run) =>
          run === 1
            ? stream(503, [], async function* () {
                for (let at = 0; at < 3; at++) yield Buffer.from('0123456789')
              })
            : json(201, {}),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 503)
      assert.equal(first.text().length, 30)
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(shop.runs[1]?.attempt, 2)
    },
  },
]
