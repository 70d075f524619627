import assert from 'node:assert/strict'
import { isFirst, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { gate, until } from './waiting.js'

const leaseMs = 60_000

/** What a handler has, and its say in what becomes of the answer. */
export const executions: readonly BindingGuarantee[] = [
  {
    name: 'every request behind the layer has an execution, also one that is not protected',
    points: ['6', '14'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        routes: ['POST /orders', 'GET /orders'],
        options: { skip: (request) => request.header('x-internal') === '1' },
        handler: async ({ execution }) => {
          execution.fail()
          await execution.markEffects()
          return json(201, execution.derivedKey('payment'))
        },
      })
      for (const request of [
        {},
        { method: 'GET', key: 'a' },
        { key: 'a', headers: { 'x-internal': '1' } },
      ]) {
        const [one, other] = [await shop.send(request), await shop.send(request)]
        assert.notEqual(one.text(), other.text(), 'without a key, derived keys are fresh')
      }
      for (const execution of shop.runs) {
        const { key, scope, attempt, after } = execution
        assert.equal(execution.protected, false)
        assert.deepEqual([key, scope, attempt, after], [undefined, undefined, 1, 'nothing'])
        assert.equal(execution.signal.aborted, false)
      }
    },
  },
  {
    name: 'a protected request has its key, its scope, its attempt and a signal',
    points: ['14'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { scope: () => 'tenant-1' } })
      await shop.send({ key: 'a' })
      const [execution] = shop.runs
      assert(execution?.protected && !execution.signal.aborted)
      const { key, scope, attempt, after } = execution
      assert.deepEqual([key, scope, attempt, after], ['a', 'tenant-1', 1, 'nothing'])
    },
  },
  {
    name: 'a derived key is the same in every attempt, and another for each name and key',
    points: ['14'],
    check: async (harness) => {
      const derived: string[] = []
      const statuses = [500, 401, 201]
      const shop = await openShop(harness, {
        handler: ({ execution }, run) => {
          derived.push(execution.derivedKey('payment'))
          return json(statuses[run - 1] ?? 201, {})
        },
      })
      // Failed, released, lost with the store.
      for (const _ of statuses) await shop.send({ key: 'a' })
      shop.store.records.clear()
      await shop.send({ key: 'a' })
      assert.equal(derived.length, 4)
      assert.equal(new Set(derived).size, 1)
      assert.notEqual(shop.runs[0]?.derivedKey('refund'), derived[0])
      await shop.send({ key: 'b' })
      assert.notEqual(derived[4], derived[0])
    },
  },
  {
    name: 'complete() keeps the answer that follows, whatever its status',
    points: ['14'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: ({ execution }) => {
          execution.complete()
          return json(500, { charged: true })
        },
      })
      const first = await shop.send({ key: 'a' })
      isFirst(first, 500)
      isReplay(await shop.send({ key: 'a' }), first)
    },
  },
  {
    name: 'fail() lets the key run again, whatever the status',
    points: ['14'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: ({ execution }) => {
          execution.fail()
          return json(201, {})
        },
      })
      for (const _ of ['first', 'second']) isFirst(await shop.send({ key: 'a' }))
      assert.deepEqual([shop.runs[1]?.attempt, shop.runs[1]?.after], [2, 'failed'])
    },
  },
  {
    name: 'release() forgets the key, whatever the status',
    points: ['14'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: ({ execution }) => {
          execution.release()
          return json(201, {})
        },
      })
      for (const _ of ['first', 'second']) {
        isFirst(await shop.send({ key: 'a' }))
        assert.equal(stateOf(shop), 'absent')
      }
      assert.equal(shop.runs[1]?.attempt, 1)
    },
  },
  {
    name: 'the last of complete(), fail() and release() counts, and wins over markEffects() and keep',
    points: ['14'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { keep: 'all' },
        handler: async ({ execution }) => {
          execution.complete()
          execution.release()
          execution.fail()
          await execution.markEffects()
          return json(201, {})
        },
      })
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(stateOf(shop), 'failed')
    },
  },
  {
    name: 'after markEffects() an error is kept and replayed',
    points: ['14'],
    check: async (harness) => {
      for (const isThrown of [false, true]) {
        const shop = await openShop(harness, {
          handler: ({ execution }) => {
            void execution.markEffects()
            if (isThrown) throw new Error('too late')
            return json(500, { charged: true })
          },
        })
        const first = await shop.send({ key: 'a' })
        isFirst(first, 500)
        isReplay(await shop.send({ key: 'a' }), first)
      }
    },
  },
  {
    name: 'markEffects() holds in the attempt after a crash',
    points: ['14'],
    check: async (harness) => {
      const crash = gate()
      const shop = await openShop(harness, {
        handler: async ({ execution }, run) => {
          if (run === 1) {
            await execution.markEffects()
            await crash.opened
          }
          return json(500, { run })
        },
      })
      const crashed = shop.converse({ key: 'a' })
      await until('the effects are marked', () => shop.store.calls('renew') === 1)
      await new Promise(setImmediate)
      shop.store.advance(leaseMs)
      const second = await shop.send({ key: 'a' })
      isFirst(second, 500)
      isReplay(await shop.send({ key: 'a' }), second)
      crash.open()
      isReplay(await crashed.answer(), second)
    },
  },
]
