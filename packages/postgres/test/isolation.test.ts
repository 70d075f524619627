import type { ClientBase } from 'pg'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../../redis/test/servers/until.js'
import { fakeExecution } from '../../sqlite/test/fake-execution.js'
import { postgresStore } from '../src/index.js'
import { bytes, claimOn, leased, openShop, type Shop } from './scene.js'
import { openPool } from './servers/open-pool.js'
import { somePostgres } from './servers/some-postgres.js'

const server = await somePostgres()
afterAll(() => server.stop())

const levels = ['repeatable read', 'serializable'] as const

/** A server's address, for connections whose transactions are at the level unless they say otherwise. */
const at = (level: string): string => {
  const address = new URL(server.url)
  const setting = level.replace(' ', '\\ ')
  address.searchParams.set('options', `-c default_transaction_isolation=${setting}`)
  return address.href
}

const add = ({ schema }: Shop, sku: string) => {
  return async (client: ClientBase) => {
    await client.query(`INSERT INTO ${schema}.stock (sku) VALUES ($1)`, [sku])
    return sku
  }
}

/** Somebody in another process waits for the record, and has said so. */
const waitsFor = async (shop: Shop, recordKey: string): Promise<void> => {
  const left = new AbortController()
  onTestFinished(() => left.abort())
  shop.another().changed?.(recordKey, left.signal)
  await until('the wait is announced', async () => {
    const rows = await server.query(`SELECT FROM ${shop.schema}.retrysafe_records WHERE awaited`)
    return rows.length > 0
  })
}

describe.each(levels)('where %s is the default', (level) => {
  it('one wins of those who claim at the same instant, and the others are told what stands', async () => {
    const shop = await openShop(server, { url: at(level) })
    for (let round = 0; round < 5; round++) {
      const claims = Array.from({ length: 40 }, (_, index) =>
        claimOn(`key ${round}`, { token: `token ${index}` }),
      )
      const answers = await Promise.all(claims.map((claim) => shop.store.acquire(claim)))
      const kinds = answers.map(({ kind }) => kind).sort()
      expect(kinds).toEqual(['acquired', ...Array(39).fill('exists')])
    }
  })

  it('a lease is renewed and ended by many writes at once', async () => {
    const shop = await openShop(server, { url: at(level) })
    const lease = await leased(shop.store, 'k')
    const renewals = Array.from({ length: 20 }, () => shop.store.renew(lease, { leaseMs: 60_000 }))
    expect(await Promise.all(renewals)).toEqual(Array(20).fill('ok'))
    const terms = { result: bytes('done'), retentionMs: 60_000 }
    const endings = Array.from({ length: 20 }, () => shop.store.complete(lease, terms))
    expect(await Promise.all(endings)).toEqual(Array(20).fill('ok'))
  })

  it('migrate() notes one version, however many run it at once', async () => {
    const shop = await openShop(server)
    const schema = `${shop.schema}_late`
    await server.query(`CREATE SCHEMA ${schema}`)
    onTestFinished(async () => void (await server.query(`DROP SCHEMA ${schema} CASCADE`)))
    const pool = openPool(at(level), { max: 8 })
    const store = postgresStore({ pool, schema })
    onTestFinished(async () => {
      await store.close()
      await pool.end()
    })
    await Promise.all(Array.from({ length: 8 }, () => store.migrate()))
    expect(await server.query(`SELECT version FROM ${schema}.retrysafe_schema`)).toHaveLength(1)
  })

  it('a transaction commits the effects and the record together', async () => {
    const shop = await openShop(server, { url: at(level) })
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    await shop.store.transaction(execution, async (client) => {
      const { rows } = await client.query('SHOW transaction_isolation')
      expect(rows).toEqual([{ transaction_isolation: level }])
      return add(shop, 'A-100')(client)
    })
    expect(calls.at(-1)).toBe('committed')
    expect(await shop.effects()).toEqual(['A-100'])
    expect(await shop.store.read('k')).toMatchObject({ state: 'completed' })
  })

  it.each(['renewed', 'waited for', 'taken over'] as const)(
    'a transaction whose record is %s while it works is rolled back, and may run again',
    async (what) => {
      const shop = await openShop(server, { url: at(level) })
      const leaseMs = what === 'taken over' ? 1 : 60_000
      const lease = await leased(shop.store, 'k', { leaseMs })
      const { execution, calls } = fakeExecution(lease)
      const successor = claimOn('k')
      const rejected = shop.store.transaction(execution, async (client) => {
        await add(shop, 'first')(client)
        if (what === 'renewed') await shop.store.renew(lease, { leaseMs })
        if (what === 'waited for') await waitsFor(shop, 'k')
        if (what === 'taken over')
          await until('it is taken over', async () => {
            return (await shop.store.acquire(successor)).kind === 'acquired'
          })
      })
      await expect(rejected).rejects.toMatchObject({ code: 'store-unavailable' })
      expect(calls.at(-1)).toBe('rolled back: failed')
      expect(await shop.effects()).toEqual([])
      const next = what === 'taken over' ? successor : lease
      await shop.store.transaction(fakeExecution(next).execution, add(shop, 'second'))
      expect(await shop.effects()).toEqual(['second'])
    },
  )

  it('a COMMIT that takes too long is found out', async () => {
    const shop = await openShop(server, { url: at(level), storeTimeoutMs: 1_000 })
    // Is over while the record is waited for, with a long way to go to either side.
    await server.query(`CREATE FUNCTION ${shop.schema}.slow() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(1.4); RETURN NEW; END $$`)
    await server.query(`CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON ${shop.schema}.stock
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${shop.schema}.slow()`)
    const { execution, calls } = fakeExecution(await leased(shop.store, 'k'))
    await shop.store.transaction(execution, add(shop, 'A-100'))
    expect(calls.at(-1)).toBe('committed')
    expect(await shop.effects()).toEqual(['A-100'])
  })
})
