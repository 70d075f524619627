import assert from 'node:assert/strict'
import { answer } from '@retrysafe/core'
import { hasRun, isFirst, isProblem, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee, HandlerIo, SuiteAnswer } from './harness.js'
import { json, openShop, type Shop } from './shop.js'
import { down, firstOnly } from './suite-store.js'
import { gate, until } from './waiting.js'

/** Effects and record in one: the store commits both, and the binding holds the answer until it has. */
export const transactions: readonly BindingGuarantee[] = [
  {
    name: 'the answer that a transaction returns is given when it is committed, and replayed',
    points: ['15'],
    check: async (harness) => {
      const shop: Shop = await openShop(harness, {
        handler: async ({ execution }) => ({
          kind: 'given',
          answer: await shop.store.transaction(execution, () =>
            answer(201, { id: 1 }, { Location: '/orders/1' }),
          ),
        }),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      assert.equal(first.header('Location'), '/orders/1')
      assert.equal(shop.store.calls('complete'), 0, 'the record was written twice')
      const replay = await shop.send({ key: 'a' })
      isReplay(replay, first)
      assert.equal(replay.header('Location'), '/orders/1')
      hasRun(shop, 1)
      // Without a key it is a plain transaction.
      isFirst(await shop.send({}))
      hasRun(shop, 2)
    },
  },
  {
    name: 'a transaction that is rolled back leaves the answer to the error handling, and runs again',
    points: ['15'],
    check: async (harness) => {
      const shop: Shop = await openShop(harness, {
        handler: async ({ execution }, run) => ({
          kind: 'given',
          answer: await shop.store.transaction(execution, () => {
            if (run === 1) throw new Error('stock below zero')
            return answer(201, { run })
          }),
        }),
      })
      isFirst(await shop.send({ key: 'a' }), 500)
      assert.equal(stateOf(shop), 'failed')
      const second = await shop.send({ key: 'a' })
      isFirst(second)
      isReplay(await shop.send({ key: 'a' }), second)
      hasRun(shop, 2)
    },
  },
  {
    name: 'nothing of an answer leaves before its transaction is committed',
    points: ['15', '29'],
    check: async (harness) => {
      const commit = gate()
      let isCommitting = false
      const shop: Shop = await openShop(harness, { handler: inTransaction(() => shop) })
      shop.store.faults.commit = async (go) => {
        isCommitting = true
        await commit.opened
        return go()
      }
      const conversation = shop.converse({ key: 'a' })
      await until('the work is done', () => isCommitting)
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.equal(conversation.hasHead(), false, 'the answer has left')
      isProblem(await shop.send({ key: 'a' }), 409, 'request-in-flight')
      commit.open()
      isFirst(await conversation.answer())
    },
  },
  {
    name: 'an answer of any status is kept with the effects that it was committed with',
    points: ['15'],
    check: async (harness) => {
      const shop: Shop = await openShop(harness, {
        handler: inTransaction(
          () => shop,
          () => answer(503, { charged: true }),
        ),
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 503)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'a commit that fails leaves nothing of the answer, and what the error makes is kept by its status',
    points: ['15', '26'],
    check: async (harness) => {
      const shop: Shop = await openShop(harness, {
        handler: async ({ execution, error }) => {
          try {
            return await inTransaction(() => shop)({ execution })
          } catch {
            throw error(422, 'below zero')
          }
        },
      })
      shop.store.faults.commit = firstOnly(1, down)
      const refusal = await shop.send({ key: 'a' })
      isFirst(refusal, 422)
      assert.equal(refusal.header('Location'), undefined, 'of a row that is not there')
      isReplay(await shop.send({ key: 'a' }), refusal)
      hasRun(shop, 1)
    },
  },
  {
    name: 'work that gives no answer is rolled back, and runs again',
    points: ['15', '42'],
    check: async (harness) => {
      const codes: unknown[] = []
      const shop: Shop = await openShop(harness, {
        handler: async ({ execution }, run) => {
          if (run > 1) return inTransaction(() => shop)({ execution })
          try {
            await shop.store.transaction(execution, () => undefined)
          } catch (error) {
            codes.push((error as { code?: unknown }).code)
            throw error
          }
          return json(201, 'the work has not been rolled back')
        },
      })
      isFirst(await shop.send({ key: 'a' }), 500)
      assert.deepEqual(codes, ['answer-missing'])
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(shop.runs[1]?.attempt, 2)
    },
  },
  {
    name: 'work whose lease was lost does not run, and its client gets what stands',
    points: ['12', '15'],
    check: async (harness) => {
      const slow = gate()
      let worked = 0
      const shop: Shop = await openShop(harness, {
        handler: async ({ execution }, run) => {
          if (run === 1) await slow.opened
          return inTransaction(
            () => shop,
            () => answer(201, { worked: ++worked }),
          )({ execution })
        },
      })
      const first = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      shop.store.advance(60_000)
      const second = await shop.send({ key: 'a' })
      isFirst(second)
      slow.open()
      isReplay(await first.answer(), second)
      assert.equal(worked, 1)
    },
  },
  {
    name: 'work whose record is gone does not run, and its client is told to ask again',
    points: ['12', '15'],
    check: async (harness) => {
      let worked = 0
      const shop: Shop = await openShop(harness, {
        handler: async ({ execution }, run) => {
          if (run === 1) shop.store.records.clear()
          return inTransaction(
            () => shop,
            () => answer(201, { worked: ++worked }),
          )({ execution })
        },
      })
      isProblem(await shop.send({ key: 'a' }), 503, 'store-unavailable')
      assert.equal(worked, 0)
      isFirst(await shop.send({ key: 'a' }))
      hasRun(shop, 2)
    },
  },
]

/** A handler whose whole work is one transaction. */
const inTransaction =
  (shop: () => Shop, work = () => answer(201, { id: 1 }, { Location: '/orders/1' })) =>
  async ({ execution }: Pick<HandlerIo, 'execution'>): Promise<SuiteAnswer> => ({
    kind: 'given',
    answer: await shop().store.transaction(execution, work),
  })
