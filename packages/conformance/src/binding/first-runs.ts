import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { gate, until, within } from './waiting.js'

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

/** How short a lease is where its holder must renew it: a third of it is waited for, at most six times. */
const shortLeaseMs = 90

/** One run, and the lease that protects it. Leases end only when the suite sets the store's clock. */
export const firstRuns: readonly BindingGuarantee[] = [
  {
    name: 'of twenty at the same instant one runs, and the others are told so or get its answer',
    points: ['10'],
    check: async (harness) => {
      const shop = await openShop(harness)
      // All are at the store before the first of them is answered.
      shop.store.faults.acquire = async (go) => {
        await until('all have asked', () => shop.store.calls('acquire') === 20)
        return go()
      }
      const answers = await Promise.all(times(20, () => shop.send({ key: 'a' })))
      hasRun(shop, 1)
      const firsts = answers.filter(
        ({ status, header }) => status === 201 && header('Idempotent-Replayed') === undefined,
      )
      assert.equal(firsts.length, 1)
      for (const answer of answers)
        if (answer.status === 201) assert.equal(answer.text(), '{"run":1}')
        else isProblem(answer, 409, 'request-in-flight')
    },
  },
  {
    name: 'the handler runs only when the key has been claimed',
    points: ['10'],
    check: async (harness) => {
      const shop = await openShop(harness)
      const claim = gate()
      shop.store.faults.acquire = async (go) => {
        await claim.opened
        return go()
      }
      const conversation = shop.converse({ key: 'a' })
      await until('the store is asked', () => shop.store.calls('acquire') === 1)
      await new Promise(setImmediate)
      hasRun(shop, 0)
      claim.open()
      isFirst(await conversation.answer())
    },
  },
  {
    name: 'a handler that takes longer than its lease stays protected',
    points: ['11'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: { leaseMs: shortLeaseMs },
        handler: async () => {
          await work.opened
          return json(201, {})
        },
      })
      const conversation = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      // Two thirds of the lease at a time, and each time not before it has been renewed: it can end only unrenewed.
      for (let turn = 0; turn < 3; turn++) {
        const renewed = shop.store.calls('renew')
        await until('the lease is renewed', () => shop.store.calls('renew') > renewed)
        shop.store.advance(shortLeaseMs * (2 / 3))
        isProblem(await shop.send({ key: 'a' }), 409, 'request-in-flight')
      }
      work.open()
      const first = await conversation.answer()
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'after maxRunMs the signal aborts and the lease is renewed no more',
    points: ['11'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: { leaseMs: shortLeaseMs, maxRunMs: 150 },
        handler: async (_io, run) => {
          if (run === 1) await work.opened
          return json(201, { run })
        },
      })
      const limits: unknown[] = []
      shop.operations[0]?.events.on('run-limit', (detail) => limits.push(detail))
      const slow = shop.converse({ key: 'a' })
      await until('the signal aborts', () => shop.runs[0]?.signal.aborted === true)
      assert.equal(limits.length, 1)
      const renewals = shop.store.calls('renew')
      assert(renewals > 0, 'it was never renewed')
      shop.store.advance(shortLeaseMs)
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(shop.store.calls('renew'), renewals)
      assert.equal(shop.runs[1]?.after, 'abandoned')
      work.open()
      await slow.answer()
    },
  },
  {
    name: 'the lease outlives a maxRunMs that is shorter, without a renewal',
    points: ['11', '45'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        options: { maxRunMs: 20, retentionMs: 1 },
        handler: async () => {
          await work.opened
          return json(201, {})
        },
      })
      const conversation = shop.converse({ key: 'a' })
      await until('the signal aborts', () => shop.runs[0]?.signal.aborted === true)
      shop.store.advance(30_000)
      isProblem(await shop.send({ key: 'a' }), 409, 'request-in-flight')
      assert.equal(shop.store.calls('renew'), 0)
      work.open()
      isFirst(await within('the answer', conversation.answer()))
    },
  },
]
