import assert from 'node:assert/strict'
import { answer } from '@retrysafe/core'
import { hasRun, isFirst, isProblem, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { gate, until } from './waiting.js'

const waits = { onInFlight: { waitMs: 3_000 } }

/** What becomes of a key that is in flight or in doubt, where the application wants more than a refusal. */
export const settling: readonly BindingGuarantee[] = [
  {
    name: 'a duplicate that waits gets the answer of the first, and runs nothing',
    points: ['18'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: waits,
        handler: async () => {
          await work.opened
          return json(201, { made: true })
        },
      })
      const slow = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      const waiting = [shop.send({ key: 'a' }), shop.send({ key: 'a' })]
      await until('both have asked', () => shop.store.calls('acquire') === 3)
      work.open()
      const first = await slow.answer()
      isFirst(first)
      for (const waited of await Promise.all(waiting)) isReplay(waited, first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'a duplicate that waits for a first that fails is refused, and runs nothing',
    points: ['18'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: waits,
        handler: async (_io, run) => {
          await work.opened
          return json(run === 1 ? 503 : 201, {})
        },
      })
      const slow = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      const waiting = shop.send({ key: 'a' })
      await until('it has asked', () => shop.store.calls('acquire') === 2)
      work.open()
      isFirst(await slow.answer(), 503)
      const waited = await waiting
      isProblem(waited, 409, 'request-in-flight')
      assert.equal(waited.header('Retry-After'), '1')
      hasRun(shop, 1)
    },
  },
  {
    name: 'a duplicate that waits leaves when its client does, and makes room for another',
    points: ['18'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: { onInFlight: { waitMs: 30_000, maxWaiters: 1 } },
        handler: async () => {
          await work.opened
          return json(201, { made: true })
        },
      })
      const slow = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      let told = 0
      shop.operations[0]?.events.on('in-flight', () => told++)
      const gone = shop.converse({ key: 'a' })
      await until('it waits', () => shop.store.calls('read') > 0)
      isProblem(await shop.send({ key: 'a' }), 409, 'request-in-flight')
      gone.hangUp()
      await until('it has left', () => told === 2)
      const next = shop.converse({ key: 'a' })
      await until('another has asked', () => shop.store.calls('acquire') === 4)
      work.open()
      const first = await slow.answer()
      isReplay(await next.answer(), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'a function as onDoubt finds out first, and what it finds is kept',
    points: ['13'],
    check: async (harness) => {
      const found: string[] = []
      const shop = await openShop(harness, {
        options: {
          onDoubt: (execution, { header }) => {
            found.push(`${execution.derivedKey('charge')} ${header('x-trace')}`)
            return header('x-trace') === 'one' ? 'run-again' : answer(201, { charged: true })
          },
        },
        handler: () => json(500, {}),
      })
      isFirst(await shop.send({ key: 'a' }), 500)
      isFirst(await shop.send({ key: 'a', headers: { 'x-trace': 'one' } }), 500)
      const charged = await shop.send({ key: 'a', headers: { 'x-trace': 'two' } })
      isFirst(charged)
      assert.deepEqual(charged.json(), { charged: true })
      isReplay(await shop.send({ key: 'a' }), charged)
      hasRun(shop, 2)
      const charge = shop.runs[0]?.derivedKey('charge')
      assert.deepEqual(found, [`${charge} one`, `${charge} two`])
    },
  },
  {
    name: 'what onDoubt throws reaches the error handling of the application, and the key stays in doubt',
    points: ['13', '27'],
    check: async (harness) => {
      const error = new Error('the provider is down')
      const reached: unknown[] = []
      let asked = 0
      const shop = await openShop(harness, {
        options: {
          onDoubt: () => {
            if (++asked === 1) throw error
            return answer(201, { charged: true })
          },
        },
        handler: () => json(500, {}),
        onError: (thrown) => {
          reached.push(thrown)
          return json(502, { own: true })
        },
      })
      isFirst(await shop.send({ key: 'a' }), 500)
      isFirst(await shop.send({ key: 'a' }), 502)
      assert.deepEqual(reached, [error])
      const charged = await shop.send({ key: 'a' })
      isFirst(charged)
      isReplay(await shop.send({ key: 'a' }), charged)
      hasRun(shop, 1)
    },
  },
  {
    name: 'an operator sees what stands under a key',
    points: ['13'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { onDoubt: 'reject' },
        handler: () => json(500, {}),
      })
      const look = () => shop.operations[0]?.inspect({ key: 'a' })
      assert.deepEqual(await look(), { state: 'absent' })
      await shop.send({ key: 'a' })
      const seen = await look()
      assert.equal(seen?.state, 'failed')
      assert.equal(seen.inDoubt, true)
    },
  },
  {
    name: 'an operator ends a doubt with an answer, or lets the key run again',
    points: ['13'],
    check: async (harness) => {
      for (const word of [answer(201, { settled: true }), 'run-again'] as const) {
        const shop = await openShop(harness, {
          options: { onDoubt: 'reject' },
          handler: (_io, run) => json(run === 1 ? 500 : 201, { run }),
        })
        await shop.send({ key: 'a' })
        isProblem(await shop.send({ key: 'a' }), 409, 'outcome-unknown')
        assert.equal(await shop.operations[0]?.resolve({ key: 'a' }, word), 'resolved')
        const after = await shop.send({ key: 'a' })
        assert.equal(after.status, 201)
        assert.deepEqual(after.json(), word === 'run-again' ? { run: 2 } : { settled: true })
        hasRun(shop, word === 'run-again' ? 2 : 1)
        assert.equal(stateOf(shop), 'completed')
      }
    },
  },
]
