import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { until } from '../../redis/test/servers/until.js'
import type { PostgresStore } from '../src/index.js'
import { bytes, claimOn, openShop } from './scene.js'
import { somePostgres } from './servers/some-postgres.js'

const server = await somePostgres()
afterAll(() => server.stop())
afterEach(() => vi.useRealTimers())

const hourMs = 3_600_000
const leaseMs = 60_000

/** From here on the host's clock is off by so much. Timers go on as they do. */
const clockIsOffBy = (ms: number): void => {
  vi.useRealTimers()
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms })
}

describe('two hosts whose clocks are an hour apart', () => {
  /** Their stores on the same records: each is asked by its host's clock. */
  const scene = async (offByMs: number) => {
    const shop = await openShop(server)
    const on = (offMs: number) => {
      let store: PostgresStore | undefined
      return async <T>(ask: (store: PostgresStore) => Promise<T>): Promise<T> => {
        clockIsOffBy(offMs)
        store ??= shop.another()
        return ask(store)
      }
    }
    return { right: on(0), wrong: on(offByMs) }
  }

  it.each([
    ['ahead', hourMs],
    ['behind', -hourMs],
  ])('respect the lease and the retention of the other, being %s', async (_, offByMs) => {
    const { right, wrong } = await scene(offByMs)
    for (const [key, first, other] of [
      ['k', right, wrong],
      ['l', wrong, right],
    ] as const) {
      const claim = claimOn(key, { leaseMs })
      await first((store) => store.acquire(claim))
      const found = await other((store) => store.acquire(claimOn(key, { token: 'other' })))
      const { record } = found as Extract<typeof found, { kind: 'exists' }>
      const { leaseRemainingMs } = record as Extract<typeof record, { state: 'in_flight' }>
      expect(leaseRemainingMs).toBeGreaterThan(leaseMs / 2)
      expect(leaseRemainingMs).toBeLessThanOrEqual(leaseMs)
      const terms = { result: bytes('done'), retentionMs: leaseMs }
      expect(await first((store) => store.complete(claim, terms))).toBe('ok')
      const kept = await other((store) => store.read(key))
      const { remainingMs } = kept as Extract<typeof kept, { state: 'completed' }>
      expect(remainingMs).toBeGreaterThan(leaseMs / 2)
      expect(remainingMs).toBeLessThanOrEqual(leaseMs)
    }
  })

  it.each([
    ['ahead', hourMs],
    ['behind', -hourMs],
  ])('take over when the server finds the lease over, being %s', async (_, offByMs) => {
    const { right, wrong } = await scene(offByMs)
    const shortMs = 500
    const [holder, other] = offByMs > 0 ? [right, wrong] : [wrong, right]
    const claimedAt = performance.now()
    await holder((store) => store.acquire(claimOn('k', { leaseMs: shortMs })))
    const taken = await until('it is taken over', async () => {
      const found = await other((store) => store.acquire(claimOn('k', { token: 'other' })))
      return found.kind === 'acquired' && found
    })
    expect(performance.now() - claimedAt).toBeGreaterThanOrEqual(shortMs)
    expect(taken).toMatchObject({ attempt: 2, after: 'abandoned' })
  })
})
