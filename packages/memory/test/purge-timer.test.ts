import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../src/index.js'
import { memoryHarness } from './memory-harness.js'

const claimOn = (recordKey: string, ms = 1000) => ({
  recordKey,
  token: 't',
  fingerprint: 'f',
  leaseMs: ms,
  retentionMs: ms,
  takeover: false,
})

describe('purging by itself', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('begins with the first record and ends when none is left', async () => {
    const { store, advance } = await memoryHarness()
    expect(vi.getTimerCount()).toBe(0)
    await store.acquire(claimOn('a'))
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(1000)
    expect(vi.getTimerCount()).toBe(1)
    await advance(1500)
    vi.advanceTimersByTime(1000)
    expect(vi.getTimerCount()).toBe(0)
    await store.acquire(claimOn('b'))
    expect(vi.getTimerCount()).toBe(1)
  })

  it('ends with the store', async () => {
    const { store } = await memoryHarness()
    await store.acquire(claimOn('a'))
    await store.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('removes at most a hundred records a step, and comes back at once for the rest', async () => {
    const { store, advance } = await memoryHarness()
    for (let index = 0; index < 250; index++) await store.acquire(claimOn(`k${index}`))
    await store.acquire(claimOn('lives', 60_000))
    await advance(2000)
    vi.advanceTimersByTime(1000)
    expect(await store.purgeExpired(1)).toBe(1)
    vi.advanceTimersByTime(1)
    vi.advanceTimersByTime(1)
    expect(await store.purgeExpired(1000)).toBe(0)
    expect(await store.read('lives')).toBeDefined()
  })

  it('makes no timer of the durations of records', async () => {
    const spy = vi.spyOn(globalThis, 'setTimeout')
    const { store } = await memoryHarness()
    await store.acquire(claimOn('for ever', Number.MAX_SAFE_INTEGER))
    expect(spy.mock.calls.map(([, delay]) => delay)).toEqual([1000])
    spy.mockRestore()
  })
})

it('keeps no process alive', async () => {
  const timeouts = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timeouts()
  const store = memoryStore()
  await store.acquire(claimOn('a'))
  expect(timeouts()).toBe(before)
  await store.close()
})

it('takes its clock from performance.now', async () => {
  const store = memoryStore()
  await store.acquire(claimOn('a', 60_000))
  const record = await store.read('a')
  expect(record?.state === 'in_flight' && record.leaseRemainingMs).toBeGreaterThan(50_000)
  await store.close()
})
