import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee, BindingHarness } from './harness.js'
import { json, openShop, type Shop, type ShopTerms, stream, whole } from './shop.js'
import { gate, until } from './waiting.js'

const leaseMs = 60_000

/** A first run that is still at work when its lease is over; later runs answer at once. */
const withSlowFirst = async (
  harness: BindingHarness,
  terms: ShopTerms = {},
): Promise<{ shop: Shop; slow: ReturnType<Shop['converse']>; work: ReturnType<typeof gate> }> => {
  const work = gate()
  const shop = await openShop(harness, {
    ...terms,
    handler: async (io, run) => {
      if (run === 1) await work.opened
      return terms.handler?.(io, run) ?? json(201, { run })
    },
  })
  const slow = shop.converse({ key: 'a' })
  await until('the handler runs', () => shop.runs.length === 1)
  return { shop, slow, work }
}

/** A holder whose lease is over, or whose record is lost. */
export const lostLeases: readonly BindingGuarantee[] = [
  {
    name: 'an abandoned key runs again, and the attempt says so',
    points: ['11', '13'],
    check: async (harness) => {
      const { shop } = await withSlowFirst(harness)
      shop.store.advance(leaseMs)
      isFirst(await shop.send({ key: 'a' }))
      const [first, second] = shop.runs
      assert.deepEqual([first?.attempt, first?.after], [1, 'nothing'])
      assert.deepEqual([second?.attempt, second?.after], [2, 'abandoned'])
    },
  },
  {
    name: 'who lost the lease gives its client the answer that stands',
    points: ['12'],
    check: async (harness) => {
      const { shop, slow, work } = await withSlowFirst(harness, {
        handler: (_io, run) => whole(201, `run ${run}`, [[`X-Run-${run}`, 'yes']]),
      })
      shop.store.advance(leaseMs)
      const second = await shop.send({ key: 'a' })
      work.open()
      const answer = await slow.answer()
      isReplay(answer, second)
      assert.equal(answer.header('X-Run-2'), 'yes')
      assert.equal(answer.header('X-Run-1'), undefined, 'of the answer that was dropped')
      isReplay(await shop.send({ key: 'a' }), second)
    },
  },
  {
    name: 'who lost the lease to one that is still at work tells its client so',
    points: ['12'],
    check: async (harness) => {
      const other = gate()
      const { shop, slow, work } = await withSlowFirst(harness, {
        handler: async (_io, run) => {
          if (run === 2) await other.opened
          return json(201, { run })
        },
      })
      shop.store.advance(leaseMs)
      const second = shop.converse({ key: 'a' })
      await until('the other runs', () => shop.runs.length === 2)
      work.open()
      isProblem(await slow.answer(), 409, 'request-in-flight')
      other.open()
      isFirst(await second.answer())
    },
  },
  {
    name: 'who lost the lease in mid-answer breaks it off, so that its client asks again',
    points: ['12'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        handler: (_io, run) =>
          run > 1
            ? json(201, { run })
            : stream(200, [], async function* () {
                yield Buffer.from('one ')
                await work.opened
                yield Buffer.from('two ')
              }),
      })
      const slow = shop.converse({ key: 'a' })
      await slow.receives(4)
      shop.store.advance(leaseMs)
      const second = await shop.send({ key: 'a' })
      isFirst(second)
      work.open()
      assert.equal((await slow.answer()).isWhole, false)
      isReplay(await shop.send({ key: 'a' }), second)
    },
  },
  {
    name: 'who lost the lease and fails changes nothing',
    points: ['12'],
    check: async (harness) => {
      const { shop, slow, work } = await withSlowFirst(harness, {
        handler: (_io, run) => json(run === 1 ? 500 : 201, { run }),
      })
      shop.store.advance(leaseMs)
      const second = await shop.send({ key: 'a' })
      work.open()
      await slow.answer()
      isReplay(await shop.send({ key: 'a' }), second)
      hasRun(shop, 2)
    },
  },
  {
    name: 'the signal aborts when the lease is found lost, and an event says so',
    points: ['12'],
    check: async (harness) => {
      // Short, so that the next renewal finds out soon.
      const { shop, slow, work } = await withSlowFirst(harness, { options: { leaseMs: 90 } })
      const lost: unknown[] = []
      shop.operations[0]?.events.on('lease-lost', (detail) => lost.push(detail))
      // Renewals that come in between find the lease over, not lost, and restart it.
      await until('another has taken over', async () => {
        shop.store.advance(90)
        return (await shop.send({ key: 'a' })).status === 201
      })
      await until('the signal aborts', () => shop.runs[0]?.signal.aborted === true)
      assert.equal(lost.length, 1)
      work.open()
      await slow.answer()
    },
  },
  {
    name: 'a record that the store has lost is claimed again, and completed',
    points: ['12'],
    check: async (harness) => {
      const { shop, slow, work } = await withSlowFirst(harness)
      shop.store.records.clear()
      work.open()
      const first = await slow.answer()
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'a record that the store has lost is claimed again by a renewal',
    points: ['12'],
    check: async (harness) => {
      const { shop, slow, work } = await withSlowFirst(harness, { options: { leaseMs: 90 } })
      shop.store.records.clear()
      await until('it is claimed again', () => shop.store.records.size === 1)
      isProblem(await shop.send({ key: 'a' }), 409, 'request-in-flight')
      assert.equal(shop.runs[0]?.signal.aborted, false)
      work.open()
      isFirst(await slow.answer())
      hasRun(shop, 1)
    },
  },
]
