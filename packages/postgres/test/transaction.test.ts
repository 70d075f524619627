import { createIdempotency, type Ending } from '@retrysafe/core'
import type { ClientBase } from 'pg'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../redis/test/servers/until.js'
import { fakeExecution } from '../../sqlite/test/fake-execution.js'
import { bytes, claimOn, leased, openShop, type Shop } from './scene.js'
import { startProxy } from './servers/proxy.js'
import { somePostgres } from './servers/some-postgres.js'

const server = await somePostgres()
afterAll(() => server.stop())

const add =
  ({ schema }: Shop, sku: string) =>
  async (client: ClientBase): Promise<string> => {
    await client.query(`INSERT INTO ${schema}.stock (sku) VALUES ($1)`, [sku])
    return sku
  }

/** A step of the work that goes on when it is told to. */
const gate = () => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('a transaction', () => {
  it('commits the effects and the record together', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    expect(await shop.store.transaction(execution, add(shop, 'A-100'))).toBe('A-100')
    expect(calls).toEqual(['begin', 'ending', 'committed'])
    expect(await shop.effects()).toEqual(['A-100'])
    expect(await shop.another().read('k')).toMatchObject({
      state: 'completed',
      result: bytes('answer'),
    })
  })

  it.each<[string, Ending, object | undefined]>([
    [
      'fail',
      { verb: 'fail', inDoubt: true, retentionMs: 1000 },
      { state: 'failed', inDoubt: true },
    ],
    ['release', { verb: 'release' }, undefined],
  ])('may end in %s', async (_, ending, record) => {
    const shop = await openShop(server)
    const { execution } = fakeExecution(await leased(shop.store, 'k'), { ending: () => ending })
    await shop.store.transaction(execution, add(shop, 'A-100'))
    expect(await shop.effects()).toEqual(['A-100'])
    const found = await shop.store.read('k')
    if (record) expect(found).toMatchObject(record)
    else expect(found).toBeUndefined()
  })

  it('without a lease is a plain one', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(undefined)
    await shop.store.transaction(execution, add(shop, 'A-100'))
    expect(calls).toEqual(['begin', 'committed'])
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('that throws leaves neither, and what was thrown comes out unchanged', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    const error = new Error('no more stock')
    await expect(
      shop.store.transaction(execution, async (client) => {
        await add(shop, 'A-100')(client)
        throw error
      }),
    ).rejects.toBe(error)
    expect(calls).toEqual(['begin', 'rolled back: failed'])
    expect(await shop.effects()).toEqual([])
    expect(await shop.store.read('k')).toMatchObject({ state: 'in_flight' })
  })

  it('that a constraint refuses at the commit leaves neither', async () => {
    const shop = await openShop(server)
    await server.query(
      `ALTER TABLE ${shop.schema}.stock ADD UNIQUE (sku) DEFERRABLE INITIALLY DEFERRED`,
    )
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    await expect(
      shop.store.transaction(execution, async (client) => {
        await add(shop, 'A-100')(client)
        await add(shop, 'A-100')(client)
      }),
    ).rejects.toMatchObject({ code: '23505' })
    expect(calls).toEqual(['begin', 'ending', 'rolled back: failed'])
    expect(await shop.effects()).toEqual([])
    expect(await shop.store.read('k')).toMatchObject({ state: 'in_flight' })
  })

  it.each<[string, (client: ClientBase) => Promise<unknown>]>([
    ['committed', (client) => client.query('COMMIT')],
    ['rolled back', (client) => client.query('ROLLBACK')],
    ['replaced', (client) => client.query('COMMIT; BEGIN')],
  ])('that the work has %s does not complete the record', async (_, end) => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    await expect(shop.store.transaction(execution, end)).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(await shop.store.read('k')).toMatchObject({ state: 'in_flight' })
  })

  it('whose lease is lost does not run its work', async () => {
    const shop = await openShop(server)
    const lease = await leased(shop.store, 'k', { leaseMs: 1 })
    const successor = claimOn('k')
    await until('it is taken over', async () => {
      return (await shop.store.acquire(successor)).kind === 'acquired'
    })
    const { execution, calls } = fakeExecution(lease)
    await expect(shop.store.transaction(execution, add(shop, 'A-100'))).rejects.toMatchObject({
      code: 'lease-lost',
    })
    expect(calls).toEqual(['begin', 'rolled back: stale'])
    expect(await shop.effects()).toEqual([])
  })

  it('whose record is gone does not run its work', async () => {
    const shop = await openShop(server)
    const { execution, calls } = fakeExecution({ recordKey: 'k', token: 'never seen' })
    await expect(shop.store.transaction(execution, add(shop, 'A-100'))).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    expect(calls).toEqual(['begin', 'rolled back: gone'])
    expect(await shop.effects()).toEqual([])
  })

  it('whose lease is lost while it works is rolled back', async () => {
    const shop = await openShop(server)
    const lease = await leased(shop.store, 'k', { leaseMs: 1 })
    const { execution, calls } = fakeExecution(lease)
    await expect(
      shop.store.transaction(execution, async (client) => {
        await add(shop, 'A-100')(client)
        const successor = claimOn('k')
        const there = shop.another()
        await until('it is taken over', async () => {
          return (await there.acquire(successor)).kind === 'acquired'
        })
        await there.complete(successor, { result: bytes('theirs'), retentionMs: 60_000 })
      }),
    ).rejects.toMatchObject({ code: 'lease-lost' })
    expect(calls).toEqual(['begin', 'ending', 'rolled back: stale'])
    expect(await shop.effects()).toEqual([])
    expect(await shop.store.read('k')).toMatchObject({ result: bytes('theirs') })
  })

  it('does not bar a renewal while it works', async () => {
    const shop = await openShop(server)
    const lease = await leased(shop.store, 'k')
    const { execution } = fakeExecution(lease)
    await shop.store.transaction(execution, async (client) => {
      await add(shop, 'A-100')(client)
      expect(await shop.store.renew(lease, { leaseMs: 60_000 })).toBe('ok')
    })
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('that stands still for longer than its lease is ended by the server', async () => {
    const shop = await openShop(server)
    const lease = await leased(shop.store, 'k', { leaseMs: 1 })
    const { execution, calls } = fakeExecution(lease)
    const there = shop.another()
    const { opened, open } = gate()
    const first = shop.store.transaction(execution, async (client) => {
      await client.query(`LOCK TABLE ${shop.schema}.stock`)
      await opened
      await add(shop, 'first')(client)
    })
    const isRejected = expect(first).rejects.toThrow()
    const successor = claimOn('k')
    await until('it is taken over', async () => {
      return (await there.acquire(successor)).kind === 'acquired'
    })
    // Waits for the table, which the first holds until the server ends it.
    await there.transaction(fakeExecution(successor).execution, add(shop, 'second'))
    open()
    await isRejected
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(await shop.effects()).toEqual(['second'])
  })

  it('that finds no connection in time has not run, and is not sent later', async () => {
    const shop = await openShop(server, { storeTimeoutMs: 100 })
    const held = await Promise.all(Array.from({ length: 8 }, () => shop.pool.connect()))
    const { execution, calls } = fakeExecution({ recordKey: 'k', token: 't' })
    await expect(shop.store.transaction(execution, add(shop, 'A-100'))).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    expect(calls).toEqual(['rolled back: busy'])
    await expect(shop.store.acquire(claimOn('other'))).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    for (const client of held) client.release()
    expect(await shop.another().read('other')).toBeUndefined()
    expect(await shop.effects()).toEqual([])
  })
})

describe('a COMMIT whose answer is lost', () => {
  const throughProxy = async (storeTimeoutMs: number) => {
    const port = Number(new URL(server.url).port)
    const proxy = await startProxy(port)
    onTestFinished(() => proxy.stop())
    const shop = await openShop(server, { url: proxy.url, storeTimeoutMs })
    return { proxy, shop }
  }

  it.each(['swallow-answer', 'cut-answer'] as const)(
    'is found out: the record was completed (%s)',
    async (fault) => {
      const { proxy, shop } = await throughProxy(500)
      const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
      const happened = proxy.once('COMMIT', fault)
      expect(await shop.store.transaction(execution, add(shop, 'A-100'))).toBe('A-100')
      await happened
      expect(calls).toEqual(['begin', 'ending', 'committed'])
      expect(await shop.effects()).toEqual(['A-100'])
    },
  )

  it('is found out: nothing was committed, and the work may run again', async () => {
    const { proxy, shop } = await throughProxy(500)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    const happened = proxy.once('COMMIT', 'cut-request')
    await expect(shop.store.transaction(execution, add(shop, 'A-100'))).rejects.toThrow()
    await happened
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(await shop.effects()).toEqual([])
    expect(await shop.store.read('k')).toMatchObject({ state: 'in_flight' })
  })

  it('cannot be found out while the transaction is open: nothing more is written', async () => {
    const { proxy, shop } = await throughProxy(300)
    const { run } = createIdempotency({ store: shop.store, leaseMs: 60_000 })
    const operation = { key: 'k', scope: 's' }
    const happened = proxy.once('COMMIT', 'swallow-request')
    const lost = run(operation, (execution) =>
      shop.store.transaction(execution, add(shop, 'A-100')),
    )
    await expect(lost).rejects.toMatchObject({ code: 'store-unavailable' })
    await happened
    const [row] = await server.query<{ state: string }>(
      `SELECT state FROM ${shop.schema}.retrysafe_records`,
    )
    expect(row).toEqual({ state: 'in_flight' })
    // The server has that transaction open until its client is gone.
    proxy.cut()
  })
})

describe('a transaction of the layer', () => {
  it('gives the same value again, and the effect once', async () => {
    const shop = await openShop(server)
    const { run } = createIdempotency({ store: shop.store })
    const once = () =>
      run({ key: 'k', scope: 's' }, (execution) =>
        shop.store.transaction(execution, add(shop, 'A-100')),
      )
    expect(await once()).toBe('A-100')
    expect(await once()).toBe('A-100')
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('takes a codec that answers later', async () => {
    const shop = await openShop(server)
    const { run } = createIdempotency({
      store: shop.store,
      codec: {
        synchronous: false,
        readsPlain: false,
        encode: async (plain) => plain.map((byte) => byte ^ 0x55),
        decode: async (stored) => stored.map((byte) => byte ^ 0x55),
      },
    })
    const once = () =>
      run({ key: 'k', scope: 's' }, (execution) =>
        shop.store.transaction(execution, add(shop, 'A-100')),
      )
    expect([await once(), await once()]).toEqual(['A-100', 'A-100'])
    expect(await shop.effects()).toEqual(['A-100'])
  })

  it('keeps its lease while it works, and is not lost to a renewal that meets its commit', async () => {
    const shop = await openShop(server)
    const { run, events } = createIdempotency({ store: shop.store, leaseMs: 30 })
    const lost: unknown[] = []
    events.on('lease-lost', (detail) => lost.push(detail))
    const operation = { key: 'k', scope: 's' }
    for (let round = 0; round < 20; round++) {
      const value = await run({ ...operation, key: `k ${round}` }, (execution) =>
        shop.store.transaction(execution, async (client) => {
          await client.query('SELECT pg_sleep(0.05)')
          return add(shop, `A-${round}`)(client)
        }),
      )
      expect(value).toBe(`A-${round}`)
    }
    expect(lost).toEqual([])
    expect(await shop.effects()).toHaveLength(20)
  })
})
