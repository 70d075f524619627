import assert from 'node:assert/strict'
import { StoreError } from '@retrysafe/core'
import { hasRun, isFirst, isProblem, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop, type Shop } from './shop.js'
import { down, type Fault, firstOnly, lostAnswer } from './suite-store.js'
import { gate, until } from './waiting.js'

/** How long a hung store is waited for here; nothing in these guarantees races against it. */
export const storeTimeoutMs = 150

const isFull: Fault = async () => {
  throw new StoreError('store-full', 'no room')
}

const isRefused = async (shop: Shop, code: string): Promise<void> => {
  const answer = await shop.send({ key: 'a' })
  isProblem(answer, 503, code)
  assert.equal(answer.header('Retry-After'), '1')
  hasRun(shop, 0)
}

/** A store that fails when a key is to be claimed. */
export const storeFaults: readonly BindingGuarantee[] = [
  {
    name: 'a store that is down refuses the request at once',
    points: ['36'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { storeTimeoutMs: 60_000 } })
      shop.store.faults.acquire = down
      await isRefused(shop, 'store-unavailable')
      delete shop.store.faults.acquire
      isFirst(await shop.send({ key: 'a' }))
    },
  },
  {
    name: 'a store that does not answer refuses the request after storeTimeoutMs',
    points: ['36'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { storeTimeoutMs } })
      shop.store.faults.acquire = () => new Promise(() => {})
      await isRefused(shop, 'store-unavailable')
    },
  },
  {
    name: 'a claim that was given up is released when the store answers at last',
    points: ['10'],
    check: async (harness) => {
      const late = gate()
      const shop = await openShop(harness, { options: { storeTimeoutMs } })
      shop.store.faults.acquire = firstOnly(1, async (go) => {
        await late.opened
        return go()
      })
      await isRefused(shop, 'store-unavailable')
      late.open()
      await until('it is released', () => shop.store.calls('release') > 0)
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(shop.runs[0]?.attempt, 1)
    },
  },
  {
    name: 'a claim whose answer was lost is released',
    points: ['10'],
    check: async (harness) => {
      const shop = await openShop(harness)
      shop.store.faults.acquire = firstOnly(1, lostAnswer)
      await isRefused(shop, 'store-unavailable')
      await until('it is released', () => stateOf(shop) === 'absent')
      isFirst(await shop.send({ key: 'a' }))
    },
  },
  {
    name: 'a claim after a failure, given up, does not forget the attempt',
    points: ['10', '13'],
    check: async (harness) => {
      const shop = await openShop(harness, {
        handler: (_io, run) => json(run === 1 ? 500 : 201, {}),
      })
      isFirst(await shop.send({ key: 'a' }), 500)
      shop.store.faults.acquire = firstOnly(1, lostAnswer)
      isProblem(await shop.send({ key: 'a' }), 503, 'store-unavailable')
      await until('it is given up', () => stateOf(shop) === 'failed')
      isFirst(await shop.send({ key: 'a' }))
      assert.equal(shop.runs[1]?.attempt, 3)
    },
  },
  {
    name: 'under run-unprotected a store that is down lets the handler run, and an event says so',
    points: ['36'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { onStoreDown: 'run-unprotected' } })
      const events: unknown[] = []
      shop.operations[0]?.events.on('unprotected', (detail) => events.push(detail))
      shop.store.faults.acquire = down
      for (const _ of ['first', 'second']) isFirst(await shop.send({ key: 'a' }))
      hasRun(shop, 2)
      assert.equal(shop.runs[0]?.protected, false)
      assert.equal(events.length, 2)
    },
  },
  {
    name: 'a store that is full refuses new keys, and still replays',
    points: ['35'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { onStoreDown: 'run-unprotected' } })
      shop.store.faults.acquire = isFull
      await isRefused(shop, 'store-full')
      delete shop.store.faults.acquire
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
    },
  },
  {
    name: 'an answer that finds no room is given whole, and not again',
    points: ['35'],
    check: async (harness) => {
      const shop = await openShop(harness)
      shop.store.faults.complete = firstOnly(1, isFull)
      const first = await shop.send({ key: 'a' })
      isFirst(first)
      assert.equal(first.text(), '{"run":1}')
      isProblem(await shop.send({ key: 'a' }), 409, 'response-not-stored')
      hasRun(shop, 1)
    },
  },
  ...(['refuse', 'run-unprotected'] as const).map(
    (onStoreDown): BindingGuarantee => ({
      name: `under ${onStoreDown}, a record that cannot be read is refused and never run`,
      points: ['33', '37'],
      check: async (harness) => {
        const spoils: readonly ((result: Uint8Array) => Uint8Array)[] = [
          () => new Uint8Array(),
          (result) => result.subarray(0, result.length - 1),
          (result) => result.map((byte, at) => (at === 0 ? byte + 1 : byte)),
          (result) => result.map((byte, at) => (at === result.length - 1 ? byte ^ 1 : byte)),
        ]
        for (const spoil of spoils) {
          const shop = await openShop(harness, { options: { onStoreDown } })
          isFirst(await shop.send({ key: 'a' }))
          for (const [recordKey, record] of shop.store.records)
            if (record.state === 'completed')
              shop.store.records.set(recordKey, { ...record, result: spoil(record.result) })
          isProblem(await shop.send({ key: 'a' }), 503, 'store-unavailable')
          hasRun(shop, 1)
        }
      },
    }),
  ),
  {
    name: 'a record whose fingerprint nobody here can compute is refused, not taken for another request',
    points: ['24', '37'],
    check: async (harness) => {
      const shop = await openShop(harness)
      isFirst(await shop.send({ key: 'a' }))
      for (const [recordKey, record] of shop.store.records)
        shop.store.records.set(recordKey, { ...record, fingerprint: '77:bytes=abc' })
      isProblem(await shop.send({ key: 'a' }), 503, 'store-unavailable')
      hasRun(shop, 1)
    },
  },
]
