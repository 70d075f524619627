import { afterAll, describe, expect, it } from 'vitest'
import { bytes, claimOn, openedClient, openedStore, ownPrefix } from './scene.js'
import { someRedis } from './servers/some-redis.js'

const server = await someRedis()
afterAll(() => server.stop())

describe('where replicas are asked for that are not there', () => {
  it('a replay and a renewal do not wait for them, as a claim does', async () => {
    const prefix = ownPrefix()
    const client = openedClient(server.url)
    const plain = openedStore({ client, prefix })
    const [done, held] = [claimOn('done'), claimOn('held')]
    for (const claim of [done, held]) await plain.acquire(claim)
    await plain.complete(done, { result: bytes('done'), retentionMs: 60_000 })
    const counted = openedStore({ client, prefix, replicas: { count: 1, timeoutMs: 1_500 } })
    const ended: string[] = []
    const waiting = counted.acquire(claimOn('new')).then(
      () => ended.push('acquired'),
      (error) => ended.push(error.code),
    )
    expect(await counted.acquire(claimOn('done'))).toMatchObject({ kind: 'exists' })
    expect(await counted.renew(held, { leaseMs: 60_000 })).toBe('ok')
    expect(ended).toEqual([])
    await waiting
    expect(ended).toEqual(['store-unavailable'])
  })
})

describe('a lease whose key has lost its end', () => {
  it('is refused, not taken over, and its holder ends it as ever', async () => {
    const prefix = ownPrefix()
    const client = openedClient(server.url)
    const store = openedStore({ client, prefix })
    const claim = claimOn('k')
    await store.acquire(claim)
    await client.persist(`${prefix}k`)
    await expect(store.acquire(claimOn('k'))).rejects.toMatchObject({ unreadable: true })
    expect(await store.complete(claim, { result: bytes('done'), retentionMs: 60_000 })).toBe('ok')
    expect(await store.acquire(claimOn('k'))).toMatchObject({ kind: 'exists' })
    await client.persist(`${prefix}k`)
    expect(await store.read('k')).toMatchObject({ state: 'completed' })
  })
})
