import { createIdempotency, type IdempotencyStore } from '@retrysafe/core'
import { afterAll, describe, expect, it } from 'vitest'
import { until } from '../../redis/test/servers/until.js'
import { fakeExecution } from '../../sqlite/test/fake-execution.js'
import { bytes, claimOn, openShop, type Shop } from './scene.js'
import { somePostgres } from './servers/some-postgres.js'

const server = await somePostgres()
afterAll(() => server.stop())

const never = new AbortController().signal

const announced = ({ schema }: Shop, recordKey: string) =>
  until('the wait is announced', async () => {
    const rows = await server.query<{ awaited: boolean }>(
      `SELECT awaited FROM ${schema}.retrysafe_records WHERE record_key = $1`,
      [recordKey],
    )
    return rows[0]?.awaited === true
  })

describe('changed()', () => {
  it.each(['complete', 'fail', 'release', 'transaction'] as const)(
    'ends with a %s in another process, for all who wait',
    async (verb) => {
      const shop = await openShop(server)
      const there = shop.another()
      const claim = claimOn('k')
      await there.acquire(claim)
      const woken = Promise.all([
        shop.store.changed?.('k', never),
        shop.store.changed?.('k', never),
      ])
      await announced(shop, 'k')
      if (verb === 'complete')
        await there.complete(claim, { result: bytes('done'), retentionMs: 60_000 })
      if (verb === 'fail') await there.fail(claim, { inDoubt: false, retentionMs: 60_000 })
      if (verb === 'release') await there.release(claim)
      if (verb === 'transaction')
        await there.transaction(fakeExecution(claim).execution, async () => 1)
      await woken
    },
  )

  it.each(['complete', 'transaction'] as const)(
    'is not told where NOTIFY fails, and the %s stands all the same',
    async (by) => {
      const shop = await openShop(server)
      // Longer than NOTIFY takes.
      const recordKey = 'k'.repeat(9000)
      const claim = claimOn(recordKey)
      await shop.store.acquire(claim)
      const left = new AbortController()
      const woken = shop.another().changed?.(recordKey, left.signal)
      await announced(shop, recordKey)
      if (by === 'transaction')
        await shop.store.transaction(fakeExecution(claim).execution, async () => 1)
      else {
        const terms = { result: bytes('done'), retentionMs: 60_000 }
        expect(await shop.store.complete(claim, terms)).toBe('ok')
      }
      expect(await shop.store.read(recordKey)).toMatchObject({ state: 'completed' })
      left.abort()
      await woken
    },
  )

  it('ends at once where nothing is in flight, and when the signal aborts', async () => {
    const shop = await openShop(server)
    await shop.store.changed?.('nobody', never)
    await shop.store.acquire(claimOn('k'))
    const left = new AbortController()
    const woken = shop.store.changed?.('k', left.signal)
    await announced(shop, 'k')
    left.abort()
    await woken
  })

  it('goes on after the connection that listened was ended', async () => {
    const shop = await openShop(server)
    const claim = claimOn('k')
    await shop.store.acquire(claim)
    const left = new AbortController()
    const first = shop.store.changed?.('k', left.signal)
    await announced(shop, 'k')
    await server.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN retrysafe_ended'`,
    )
    left.abort()
    await first
    const again = until('it is heard of', async () => {
      const waiting = new AbortController()
      const woken = shop.store.changed?.('k', waiting.signal)?.then(() => !waiting.signal.aborted)
      setTimeout(() => waiting.abort(), 500)
      return woken
    })
    await shop.another().complete(claim, { result: bytes('done'), retentionMs: 60_000 })
    await again
  })

  it('lets everybody go when the store is closed', async () => {
    const shop = await openShop(server)
    await shop.store.acquire(claimOn('k'))
    const woken = shop.store.changed?.('k', never)
    await announced(shop, 'k')
    await shop.store.close()
    await woken
    await expect(shop.store.changed?.('k', never)).rejects.toThrow(/closed/)
  })
})

describe('who waits', () => {
  it.each([true, false])(
    'is answered by the end of the first, with prepared statements or not: %s',
    async (prepare) => {
      const shop = await openShop(server, { prepare })
      const there = shop.another()
      let reads = 0
      const counted: IdempotencyStore = {
        ...shop.store,
        read: (recordKey) => {
          reads++
          return shop.store.read(recordKey)
        },
      }
      const holder = createIdempotency({ store: there })
      const waiter = createIdempotency({ store: counted, onInFlight: { waitMs: 30_000 } })
      const operation = { key: 'k', scope: 's' }
      let end: (() => void) | undefined
      const first = holder.run(operation, async () => {
        await new Promise<void>((resolve) => {
          end = resolve
        })
        return { order: 1 }
      })
      await until('the first runs', () => end !== undefined)
      const waiting = Array.from({ length: 50 }, () => waiter.run(operation, async () => 'again'))
      await until('they wait', () => reads > 0)
      end?.()
      const answers = await Promise.all(waiting)
      expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
        new Set([JSON.stringify(await first)]),
      )
      expect(reads).toBeLessThan(30)
    },
  )
})
