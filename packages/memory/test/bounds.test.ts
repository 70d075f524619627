import type { StoreNotice } from '@retrysafe/core'
import { describe, expect, it } from 'vitest'
import { memoryHarness } from './memory-harness.js'

const long = 3_600_000
const full = { code: 'store-full', status: 503 }

const claimOn = (recordKey: string, terms: object = {}) => ({
  recordKey,
  token: `t-${recordKey}`,
  fingerprint: 'print',
  leaseMs: 60_000,
  retentionMs: long,
  takeover: false,
  ...terms,
})

const leaseOn = (recordKey: string) => ({ recordKey, token: `t-${recordKey}` })
const kept = (size = 0) => ({ result: new Uint8Array(size), retentionMs: long })

const withListener = async (options: Parameters<typeof memoryHarness>[0]) => {
  const harness = await memoryHarness(options)
  const heard: StoreNotice[] = []
  harness.store.watch((notice) => heard.push(notice))
  const states = async (...keys: string[]) =>
    Promise.all(keys.map(async (key) => (await harness.store.read(key))?.state))
  return { ...harness, heard, states }
}

describe('a full store', () => {
  it('refuses a new key, and keeps all that it holds', async () => {
    const { store, states } = await withListener({ maxEntries: 3 })
    for (const key of ['a', 'b', 'c']) await store.acquire(claimOn(key))
    await store.complete(leaseOn('a'), kept())
    await store.fail(leaseOn('b'), { inDoubt: true, retentionMs: long })
    await expect(store.acquire(claimOn('d'))).rejects.toMatchObject(full)
    expect(await states('a', 'b', 'c', 'd')).toEqual([
      'completed',
      'failed',
      'in_flight',
      undefined,
    ])
  })

  it('still answers for the keys that it holds', async () => {
    const { store } = await withListener({ maxEntries: 1 })
    await store.acquire(claimOn('a'))
    await expect(store.acquire(claimOn('b'))).rejects.toMatchObject(full)
    expect((await store.acquire({ ...claimOn('a'), token: 'other' })).kind).toBe('exists')
    expect(await store.renew(leaseOn('a'), { leaseMs: long })).toBe('ok')
    expect(await store.complete(leaseOn('a'), kept())).toBe('ok')
  })

  it('has room again for what was released', async () => {
    const { store } = await withListener({ maxEntries: 1 })
    for (let round = 0; round < 5000; round++) {
      await store.acquire(claimOn('a'))
      await store.release(leaseOn('a'))
    }
    expect((await store.acquire(claimOn('b'))).kind).toBe('acquired')
  })

  it('removes what is over before anything else', async () => {
    const { store, advance, states } = await withListener({ maxEntries: 3 })
    await store.acquire(claimOn('a', { leaseMs: 1000, retentionMs: 1000 }))
    for (const key of ['b', 'c']) await store.acquire(claimOn(key))
    await store.fail(leaseOn('b'), { inDoubt: false, retentionMs: long })
    await advance(2000)
    await store.acquire(claimOn('d'))
    expect(await states('a', 'b', 'c', 'd')).toEqual([
      undefined,
      'failed',
      'in_flight',
      'in_flight',
    ])
  })

  it('finds what is over although it once was to live longer, or shorter', async () => {
    const { store, advance, states } = await withListener({ maxEntries: 2 })
    await store.acquire(claimOn('a', { retentionMs: 500, leaseMs: 500 }))
    await store.renew(leaseOn('a'), { leaseMs: 5000 })
    await store.acquire(claimOn('b'))
    await store.complete(leaseOn('b'), { result: new Uint8Array(), retentionMs: 1000 })
    await advance(2000)
    await store.acquire(claimOn('c'))
    await expect(store.acquire(claimOn('d'))).rejects.toMatchObject(full)
    await advance(4000)
    await store.acquire(claimOn('d'))
    expect(await states('a', 'b', 'c', 'd')).toEqual([
      undefined,
      undefined,
      'in_flight',
      'in_flight',
    ])
  })

  it('gives up failed records that are not in doubt, the oldest failure first', async () => {
    const { store, states, heard } = await withListener({ maxEntries: 4 })
    for (const key of ['a', 'b', 'c', 'd']) await store.acquire(claimOn(key))
    await store.fail(leaseOn('b'), { inDoubt: true, retentionMs: long })
    await store.fail(leaseOn('d'), { inDoubt: false, retentionMs: long })
    await store.fail(leaseOn('c'), { inDoubt: false, retentionMs: long })
    await store.acquire(claimOn('e'))
    expect(await states('a', 'b', 'c', 'd')).toEqual(['in_flight', 'failed', 'failed', undefined])
    await store.acquire(claimOn('f'))
    await expect(store.acquire(claimOn('g'))).rejects.toMatchObject(full)
    expect(heard).toEqual([])
  })

  it('lets a failed record run again, and does not give it up for itself', async () => {
    const { store } = await withListener({ maxEntries: 1 })
    await store.acquire(claimOn('a'))
    await store.fail(leaseOn('a'), { inDoubt: false, retentionMs: long })
    expect(await store.acquire(claimOn('a', { token: 'next' }))).toMatchObject({ attempt: 2 })
    await expect(store.acquire(claimOn('b'))).rejects.toMatchObject(full)
  })

  it('keeps abandoned records: their attempts count', async () => {
    const { store, advance, states } = await withListener({ maxEntries: 1 })
    await store.acquire(claimOn('a', { leaseMs: 1000 }))
    await advance(2000)
    await expect(store.acquire(claimOn('b'))).rejects.toMatchObject(full)
    expect(await states('a')).toEqual(['in_flight'])
  })

  it('gives up nothing where that would not be enough', async () => {
    const { store, states, heard } = await withListener({
      maxBytes: 10_000,
      onStoreFull: 'evict-completed',
    })
    for (const key of ['a', 'b', 'c']) await store.acquire(claimOn(key))
    await store.complete(leaseOn('a'), kept())
    await store.fail(leaseOn('b'), { inDoubt: false, retentionMs: long })
    await expect(store.complete(leaseOn('c'), kept(10_000))).rejects.toMatchObject(full)
    expect(await states('a', 'b', 'c')).toEqual(['completed', 'failed', 'in_flight'])
    expect(heard).toEqual([])
  })
})

describe('a result that finds no room', () => {
  it('is refused and leaves the record in flight, and a tombstone always fits', async () => {
    const { store } = await withListener({ maxBytes: 10_000 })
    let count = 0
    for (; ; count++) {
      const acquired = await store.acquire(claimOn(`k${count}`)).catch(() => undefined)
      if (!acquired) break
    }
    expect(count).toBeGreaterThan(5)
    for (let index = 0; index < count; index++) {
      const lease = leaseOn(`k${index}`)
      await store.renew(lease, { leaseMs: long, progress: new Uint8Array(256) })
      await expect(store.complete(lease, kept(2000))).rejects.toMatchObject(full)
      expect(await store.read(`k${index}`)).toMatchObject({ state: 'in_flight', attempt: 1 })
    }
    for (let index = 0; index < count; index++)
      expect(await store.complete(leaseOn(`k${index}`), kept(256))).toBe('ok')
  })

  it('is kept as soon as there is room', async () => {
    const { store } = await withListener({ maxBytes: 4000 })
    await store.acquire(claimOn('a'))
    await store.acquire(claimOn('b'))
    await expect(store.complete(leaseOn('a'), kept(3000))).rejects.toMatchObject(full)
    await store.release(leaseOn('b'))
    expect(await store.complete(leaseOn('a'), kept(3000))).toBe('ok')
  })

  it('refuses progress in the same way, and does not restart the lease', async () => {
    const { store, advance } = await withListener({ maxBytes: 4000 })
    await store.acquire(claimOn('a', { leaseMs: 5000 }))
    await advance(1000)
    const large = { leaseMs: 60_000, progress: new Uint8Array(4000) }
    await expect(store.renew(leaseOn('a'), large)).rejects.toMatchObject(full)
    expect(await store.read('a')).toMatchObject({ leaseRemainingMs: 4000 })
  })
})

describe('a store that evicts', () => {
  const evicting = { onStoreFull: 'evict-completed' } as const

  it('gives up the completed record that was not asked for the longest, and says so', async () => {
    const { store, states, heard } = await withListener({ ...evicting, maxEntries: 3 })
    for (const key of ['a', 'b', 'c']) {
      await store.acquire(claimOn(key))
      await store.complete(leaseOn(key), kept())
    }
    await store.acquire(claimOn('a', { token: 'duplicate' }))
    // An operator's look is no use.
    await store.read('b')
    await store.acquire(claimOn('d'))
    expect(await states('a', 'b', 'c', 'd')).toEqual([
      'completed',
      undefined,
      'completed',
      'in_flight',
    ])
    expect(heard).toEqual([{ kind: 'evicted', recordKey: 'b' }])
  })

  it('prefers what is over, then what failed and is not in doubt', async () => {
    const { store, advance, states, heard } = await withListener({ ...evicting, maxEntries: 3 })
    for (const key of ['a', 'b', 'c']) await store.acquire(claimOn(key))
    await store.complete(leaseOn('a'), kept())
    await store.fail(leaseOn('b'), { inDoubt: false, retentionMs: long })
    await store.complete(leaseOn('c'), { result: new Uint8Array(), retentionMs: 1000 })
    await advance(2000)
    await store.acquire(claimOn('d'))
    expect(await states('a', 'b', 'c')).toEqual(['completed', 'failed', undefined])
    await store.acquire(claimOn('e'))
    expect(await states('a', 'b')).toEqual(['completed', undefined])
    expect(heard).toEqual([])
  })

  it('never gives up a lease, an abandoned record or one in doubt', async () => {
    const { store, advance } = await withListener({ ...evicting, maxEntries: 3 })
    await store.acquire(claimOn('abandoned', { leaseMs: 1000 }))
    await store.acquire(claimOn('doubtful'))
    await store.fail(leaseOn('doubtful'), { inDoubt: true, retentionMs: long })
    await store.acquire(claimOn('live'))
    await advance(2000)
    await expect(store.acquire(claimOn('new'))).rejects.toMatchObject(full)
  })

  it('makes room in bytes for a result', async () => {
    const { store, states, heard } = await withListener({ ...evicting, maxBytes: 8000 })
    for (const key of ['a', 'b', 'c']) await store.acquire(claimOn(key))
    await store.complete(leaseOn('a'), kept(2000))
    await store.complete(leaseOn('b'), kept(2000))
    await store.complete(leaseOn('c'), kept(4000))
    expect(await states('a', 'b', 'c')).toEqual([undefined, 'completed', 'completed'])
    expect(heard).toEqual([{ kind: 'evicted', recordKey: 'a' }])
  })

  it('does not mind a listener that throws', async () => {
    const { store, heard } = await withListener({ ...evicting, maxEntries: 1 })
    store.watch(() => {
      throw new Error('the listener is broken')
    })
    await store.acquire(claimOn('a'))
    await store.complete(leaseOn('a'), kept())
    expect((await store.acquire(claimOn('b'))).kind).toBe('acquired')
    expect(heard).toHaveLength(1)
  })
})
