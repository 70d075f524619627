import assert from 'node:assert/strict'
import { hasRun, isFirst, isProblem, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'
import { down, type Fault, firstOnly, lostAnswer } from './suite-store.js'
import { until } from './waiting.js'

/** How long an ending is waited for here. */
export const storeTimeoutMs = 200

/** A store that fails when a record is to be ended: what the handler has done is never in question. */
export const lateEndings: readonly BindingGuarantee[] = [
  {
    name: 'an ending that fails is tried again while the answer is held',
    points: ['36'],
    check: async (harness) => {
      const shop = await openShop(harness)
      shop.store.faults.complete = firstOnly(2, down)
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      assert.equal(stateOf(shop), 'completed')
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  {
    name: 'an ending whose answer was lost is one ending',
    points: ['36'],
    check: async (harness) => {
      const shop = await openShop(harness)
      shop.store.faults.complete = firstOnly(2, lostAnswer)
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
    },
  },
  ...(
    [
      ['complete', 201, down],
      ['fail', 503, down],
      ['release', 429, down],
      ['complete', 200, () => new Promise(() => {})],
    ] as readonly (readonly ['complete' | 'fail' | 'release', number, Fault])[]
  ).map(
    ([verb, status, fault]): BindingGuarantee => ({
      name: `when ${verb} ${fault === down ? 'is refused' : 'hangs'} for long, the true answer leaves, and the tries go on`,
      points: ['36'],
      check: async (harness) => {
        let isDown = true
        const retried: unknown[] = []
        const shop = await openShop(harness, {
          options: { storeTimeoutMs },
          handler: (_io, run) => json(run === 1 ? status : 201, { run }),
        })
        shop.operations[0]?.events.on('completion-retried', (detail) => retried.push(detail))
        shop.store.faults[verb] = (go) => (isDown ? fault(go) : go())
        const first = await shop.send({ key: 'a' })
        isFirst(first, status)
        assert.equal(first.text(), '{"run":1}')
        isProblem(await shop.send({ key: 'a' }), 409, 'request-in-flight')
        isDown = false
        await until('the record is ended', () => stateOf(shop) !== 'in_flight')
        assert(retried.length > 0, 'no event told of it')
        const second = await shop.send({ key: 'a' })
        if (verb === 'complete') isReplay(second, first)
        else isFirst(second)
        assert.equal(shop.runs.at(-1)?.attempt, verb === 'fail' ? 2 : 1)
      },
    }),
  ),
  {
    name: 'a renewal that fails costs nothing, and is tried again',
    points: ['11', '36'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        options: { leaseMs: 90 },
        handler: async ({ execution }) => {
          await until('it has been renewed after all', () => shop.store.calls('renew') > 2)
          return json(201, { isLost: execution.signal.aborted })
        },
      })
      shop.store.faults.renew = firstOnly(2, down)
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      assert.equal(first.text(), '{"isLost":false}')
      isReplay(await shop.send({ key: 'a' }), first)
    },
  },
]
