import assert from 'node:assert/strict'
import { isFirst, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee, BindingHarness, SuiteAnswer } from './harness.js'
import { json, openShop, stream, whole } from './shop.js'
import { type Gate, gate, until } from './waiting.js'

/** A shop whose store is asked to complete, and does so only when the gate is opened. */
const whileCompleting = async (harness: BindingHarness, answer: () => SuiteAnswer) => {
  const stored = gate()
  const shop = await openShop(harness, { handler: answer })
  shop.store.faults.complete = async (go) => {
    await stored.opened
    return go()
  }
  const conversation = shop.converse({ key: 'a' })
  await until('the record is to be completed', () => shop.store.calls('complete') === 1)
  // Whatever has been let go arrives before the answer to a later request.
  await shop.send({ method: 'GET', path: '/elsewhere' })
  return { shop, conversation, stored }
}

const sourceOf = (chunks: readonly string[], end: Gate | undefined = undefined) =>
  async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk)
    await end?.opened
  }

/** No client knows that an answer is complete before its record is durable. */
export const durability: readonly BindingGuarantee[] = [
  {
    name: 'an answer in one piece leaves when its record is durable',
    points: ['29'],
    check: async (harness) => {
      for (const answer of [() => json(201, { id: 1 }), () => whole(204), () => whole(303)]) {
        const { shop, conversation, stored } = await whileCompleting(harness, answer)
        assert.equal(conversation.hasHead(), false)
        stored.open()
        const first = await conversation.answer()
        isFirst(first, answer().status)
        isReplay(await shop.send({ key: 'a' }), first)
      }
    },
  },
  {
    name: 'the end of an answer in chunks leaves when its record is durable',
    points: ['29'],
    check: async (harness) => {
      const { shop, conversation, stored } = await whileCompleting(harness, () =>
        stream(200, [], sourceOf(['one ', 'two '])),
      )
      assert.equal(conversation.isOver(), false)
      stored.open()
      const first = await conversation.answer()
      isFirst(first, 200)
      assert.equal(first.text(), 'one two ')
      isReplay(await shop.send({ key: 'a' }), first)
    },
  },
  {
    name: 'the byte that reaches Content-Length leaves when its record is durable, whenever the handler ends',
    points: ['29'],
    check: async (harness) => {
      const end = gate()
      const { shop, conversation, stored } = await whileCompleting(harness, () =>
        stream(200, [['Content-Length', '8']], sourceOf(['one ', 'two '], end)),
      )
      assert(conversation.received().length < 8, 'the whole body has left')
      stored.open()
      await conversation.receives(8)
      assert.equal(stateOf(shop), 'completed')
      end.open()
      const first = await conversation.answer()
      isFirst(first, 200)
      isReplay(await shop.send({ key: 'a' }), first)
    },
  },
  {
    name: 'a failure leaves when it is recorded, so that a retry at once may run',
    points: ['29'],
    check: async (harness) => {
      for (const [verb, status] of [
        ['fail', 503],
        ['release', 429],
      ] as const) {
        const recorded = gate()
        const shop = await openShop(harness, {
          handler: (_io, run) => json(run === 1 ? status : 201, {}),
        })
        shop.store.faults[verb] = async (go) => {
          await recorded.opened
          return go()
        }
        const conversation = shop.converse({ key: 'a' })
        await until('it is to be recorded', () => shop.store.calls(verb) === 1)
        await shop.send({ method: 'GET', path: '/elsewhere' })
        assert.equal(conversation.hasHead(), false)
        recorded.open()
        isFirst(await conversation.answer(), status)
        isFirst(await shop.send({ key: 'a' }))
      }
    },
  },
]
