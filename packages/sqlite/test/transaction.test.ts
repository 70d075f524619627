import type { Ending } from '@retrysafe/core'
import type Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { fakeExecution } from './fake-execution.js'
import {
  applicationDatabase,
  bytes,
  claimOf,
  closing,
  countTicks,
  leased,
  pause,
  sharedStore,
} from './scene.js'
import { temporaryFile } from './temporary-folder.js'

/** An application, its store, and work with an effect that one can count. */
const shop = (options: Parameters<typeof sharedStore>[1] = {}) => {
  const file = temporaryFile()
  const database = applicationDatabase(file)
  const store = sharedStore(database, options)
  const insert = database.prepare('INSERT INTO stock (sku, on_hand) VALUES (?, 1)')
  const elsewhere = closing(sqliteStore(file))
  const effects = () => database.prepare('SELECT sku FROM stock ORDER BY sku').pluck().all()
  return { file, database, store, elsewhere, effects, add: (sku: string) => insert.run(sku) }
}

describe('a transaction', () => {
  it('commits the effects and the record together', async () => {
    const { database, store, elsewhere, effects, add } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const value = await store.transaction(execution, () => {
      calls.push('work')
      return add('A-100').changes
    })
    expect(value).toBe(1)
    expect(calls).toEqual(['begin', 'work', 'ending', 'committed'])
    expect(effects()).toEqual(['A-100'])
    expect(database.inTransaction).toBe(false)
    expect(await elsewhere.read('key')).toMatchObject({
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
    const { store, elsewhere, effects, add } = shop()
    const lease = await leased(store, 'key')
    const { execution } = fakeExecution(lease, { ending: () => ending })
    await store.transaction(execution, () => add('A-100'))
    expect(effects()).toEqual(['A-100'])
    const found = await elsewhere.read('key')
    if (record) expect(found).toMatchObject(record)
    else expect(found).toBeUndefined()
  })

  it('without a lease is a plain one', async () => {
    const { store, effects, add } = shop()
    const { execution, calls } = fakeExecution(undefined)
    await store.transaction(execution, () => add('A-100'))
    expect(calls).toEqual(['begin', 'committed'])
    expect(effects()).toEqual(['A-100'])
  })

  it('takes the transactions of the driver inside it', async () => {
    const { database, store, effects, add } = shop()
    const { execution } = fakeExecution(await leased(store, 'key'))
    const inner = database.transaction((sku: string) => {
      add(sku)
      if (sku === 'bad') throw new Error('no')
    })
    await store.transaction(execution, () => {
      inner('good')
      expect(() => inner('bad')).toThrow('no')
    })
    expect(effects()).toEqual(['good'])
  })

  it('is one of many that run in turn', async () => {
    const { store, effects, add } = shop()
    const names = Array.from({ length: 20 }, (_, index) => `sku ${10 + index}`)
    const leases = await Promise.all(names.map((name) => leased(store, name)))
    await Promise.all(
      leases.map((lease) =>
        store.transaction(fakeExecution(lease).execution, () => add(lease.recordKey)),
      ),
    )
    expect(effects()).toEqual(names)
  })

  it('is refused for what is no execution', async () => {
    const { store } = shop()
    await expect(store.transaction({}, () => 1)).rejects.toMatchObject({ code: 'option-invalid' })
  })
})

describe('the work', () => {
  it('throws: everything is rolled back and the error comes out unchanged', async () => {
    const { store, effects, add } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const error = new RangeError('below zero')
    const work = () => {
      add('A-100')
      throw error
    }
    await expect(store.transaction(execution, work)).rejects.toBe(error)
    expect(calls).toEqual(['begin', 'rolled back: failed'])
    expect(effects()).toEqual([])
    expect(await store.read('key')).toMatchObject({ state: 'in_flight' })
  })

  it.each(['begin', 'ending'] as const)('comes to nothing when %s throws', async (name) => {
    const { store, effects, add } = shop()
    const error = new Error('answer-missing')
    const { execution, calls } = fakeExecution(await leased(store, 'key'), {
      [name]: () => {
        throw error
      },
    })
    await expect(store.transaction(execution, () => add('A-100'))).rejects.toBe(error)
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(effects()).toEqual([])
  })

  it.each([
    ['async function', async () => {}],
    ['bound async function', (async () => {}).bind(null)],
    ['generator', function* () {}],
    ['async generator', async function* () {}],
    ['no function', undefined],
  ])('is refused before it is called: %s', async (_, work) => {
    const { database, store } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    await expect(store.transaction(execution, work as () => void)).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(calls).toEqual([])
    expect(database.inTransaction).toBe(false)
  })

  it.each<[string, () => PromiseLike<never>]>([
    ['promise', () => Promise.reject(new Error('later'))],
    // biome-ignore lint/suspicious/noThenProperty: it is what is tested.
    ['thenable', () => ({ then: () => expect.unreachable() })],
  ])('is rolled back when it answers a %s', async (_, answer) => {
    const { store, effects, add } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const work = (() => {
      add('A-100')
      return answer()
    }) as () => unknown as () => void
    await expect(store.transaction(execution, work)).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(calls).toEqual(['begin', 'rolled back: failed'])
    expect(effects()).toEqual([])
  })

  it.each([
    ['commits', 'COMMIT', ['A-100']],
    ['rolls back', 'ROLLBACK', []],
    ['commits and begins another', 'COMMIT; BEGIN', ['A-100']],
    ['rolls back and begins another', 'ROLLBACK; BEGIN IMMEDIATE', []],
  ])('%s: the record is not completed, and nothing stays open', async (_, sql, left) => {
    const { database, store, effects, add } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const work = () => {
      add('A-100')
      database.exec(sql)
    }
    await expect(store.transaction(execution, work)).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(database.inTransaction).toBe(false)
    expect(effects()).toEqual(left)
    expect(await store.read('key')).toMatchObject({ state: 'in_flight' })
  })

  it('loses the transaction to a conflict clause and goes on: nothing more is written', async () => {
    const { database, store, effects, add } = shop()
    add('A-100')
    const { execution } = fakeExecution(await leased(store, 'key'))
    const work = () => {
      add('B-200')
      const insert = `INSERT OR ROLLBACK INTO stock VALUES ('A-100', 1)`
      expect(() => database.exec(insert)).toThrow('UNIQUE')
    }
    await expect(store.transaction(execution, work)).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(effects()).toEqual(['A-100'])
    expect(await store.read('key')).toMatchObject({ state: 'in_flight' })
  })

  it('closes the database', async () => {
    const { database, store } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    await expect(store.transaction(execution, () => void database.close())).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(await store.read('key')).toMatchObject({ state: 'in_flight' })
    const later = fakeExecution({ recordKey: 'key', token: 'token of key' })
    await expect(store.transaction(later.execution, () => 1)).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    expect(later.calls).toEqual(['rolled back: busy'])
  })

  it.each([true, false])('leaves a query half read (protected: %s)', async (isProtected) => {
    const { database, store, effects, add } = shop()
    add('A-100')
    add('B-200')
    const lease = isProtected ? await leased(store, 'key') : undefined
    const { execution, calls } = fakeExecution(lease)
    const query = database.prepare('SELECT * FROM stock')
    let halfRead: IterableIterator<unknown> | undefined
    const work = () => {
      add('C-300')
      halfRead = query.iterate()
      halfRead.next()
    }
    await expect(store.transaction(execution, work)).rejects.toThrow('busy executing a query')
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(database.inTransaction).toBe(false)
    expect(effects()).toEqual(['A-100', 'B-200'])
    expect(() => add('D-400')).toThrow('busy executing a query')
    halfRead?.return?.()
    expect(database.pragma('busy_timeout', { simple: true })).toBe(5000)
    add('D-400')
  })

  it('changes the record itself', async () => {
    const { database, store } = shop()
    const { execution } = fakeExecution(await leased(store, 'key'))
    const work = () => void database.exec('DELETE FROM retrysafe_records')
    await expect(store.transaction(execution, work)).rejects.toMatchObject({
      code: 'transaction-broken',
    })
    expect(await store.read('key')).toMatchObject({ state: 'in_flight' })
  })
})

describe('the commit', () => {
  it("fails on the application's constraint, whose error comes out unchanged", async () => {
    const { database, store, effects, add } = shop()
    database.exec(
      `CREATE TABLE orders (sku TEXT REFERENCES stock (sku) DEFERRABLE INITIALLY DEFERRED)`,
    )
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const work = () => {
      add('A-100')
      database.exec(`INSERT INTO orders VALUES ('nothing')`)
    }
    await expect(store.transaction(execution, work)).rejects.toMatchObject({
      name: 'SqliteError',
      code: 'SQLITE_CONSTRAINT_FOREIGNKEY',
    })
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(database.inTransaction).toBe(false)
    expect(effects()).toEqual([])
    expect(await store.read('key')).toMatchObject({ state: 'in_flight' })
  })

  it('fails otherwise: a StoreError with its cause', async () => {
    const { file, database, store, effects, add } = shop()
    const prepare = database.prepare.bind(database)
    database.prepare = ((sql: string) =>
      prepare(sql === 'COMMIT' ? `SELECT json('broken')` : sql)) as typeof database.prepare
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    await expect(store.transaction(execution, () => add('A-100'))).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining(file),
      cause: { code: 'SQLITE_ERROR' },
    })
    expect(calls.at(-1)).toBe('rolled back: failed')
    expect(effects()).toEqual([])
  })
})

describe('the lease', () => {
  const refused = async (change: (shopHere: ReturnType<typeof shop>) => Promise<unknown>) => {
    const here = shop()
    const { execution, calls } = fakeExecution(await leased(here.store, 'key', { leaseMs: 1 }))
    await change(here)
    const rejection = await here.store
      .transaction(execution, () => expect.unreachable())
      .catch((error) => error)
    return { rejection, calls, inTransaction: here.database.inTransaction }
  }

  it('was taken over: the work does not run', async () => {
    const outcome = await refused(async ({ elsewhere }) => {
      await pause(5)
      expect(await elsewhere.acquire(claimOf('key', { token: 'other' }))).toMatchObject({
        after: 'abandoned',
      })
    })
    expect(outcome).toMatchObject({
      rejection: { code: 'lease-lost' },
      calls: ['begin', 'rolled back: stale'],
      inTransaction: false,
    })
  })

  it('has ended: the work does not run', async () => {
    const lease = { recordKey: 'key', token: 'token of key' }
    const outcome = await refused(({ elsewhere }) =>
      elsewhere.fail(lease, { inDoubt: false, retentionMs: 1000 }),
    )
    expect(outcome).toMatchObject({
      rejection: { code: 'lease-lost' },
      calls: ['begin', 'rolled back: stale'],
    })
  })

  it('is gone with its record: the work does not run', async () => {
    const outcome = await refused(({ elsewhere }) =>
      elsewhere.release({ recordKey: 'key', token: 'token of key' }),
    )
    expect(outcome).toMatchObject({
      rejection: { code: 'store-unavailable' },
      calls: ['begin', 'rolled back: gone'],
      inTransaction: false,
    })
  })

  it.each([
    ['complete', undefined],
    ['release', { verb: 'release' } as const],
  ])(
    'is over, and the record expired, but nobody else has come: %s goes through',
    async (_, ending) => {
      let now = 1_000_000
      const { store, effects, add } = shop({ now: () => now })
      const lease = await leased(store, 'key', { leaseMs: 5, retentionMs: 5 })
      now += 10
      const { execution } = fakeExecution(lease, ending && { ending: () => ending })
      await store.transaction(execution, () => add('A-100'))
      expect(effects()).toEqual(['A-100'])
      expect(await store.read('key')).toEqual(
        ending ? undefined : expect.objectContaining({ state: 'completed', remainingMs: 60_000 }),
      )
    },
  )
})

describe('a file that is busy', () => {
  const holder = (file: string): Database.Database => {
    const other = applicationDatabase(file)
    other.exec('BEGIN IMMEDIATE')
    return other
  }

  it('is tried again without holding the event loop, whatever the busy timeout', async () => {
    const { file, database, store, effects, add } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const other = holder(file)
    const ticks = countTicks()
    const committed = store.transaction(execution, () => add('A-100'))
    // Between the tries the connection is the application's, as it left it.
    expect(database.pragma('busy_timeout', { simple: true })).toBe(5000)
    await pause(200)
    expect(calls).toEqual([])
    expect(ticks.stop()).toBeGreaterThan(15)
    other.exec('ROLLBACK')
    await committed
    expect(calls).toEqual(['begin', 'ending', 'committed'])
    expect(effects()).toEqual(['A-100'])
  })

  it('is given up in time, and nothing has run', async () => {
    const { file, database, store } = shop({ storeTimeoutMs: 60 })
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const other = holder(file)
    await expect(store.transaction(execution, () => expect.unreachable())).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining(file),
      cause: { code: 'SQLITE_BUSY' },
    })
    expect(calls).toEqual(['rolled back: busy'])
    other.exec('ROLLBACK')
    expect(database.pragma('busy_timeout', { simple: true })).toBe(5000)
  })

  it('is not waited for on top of a transaction that the application begins meanwhile', async () => {
    const { file, database, store } = shop()
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const other = holder(file)
    const transaction = store.transaction(execution, () => expect.unreachable())
    database.exec('BEGIN')
    await expect(transaction).rejects.toMatchObject({ code: 'transaction-open' })
    expect(calls).toEqual([])
    expect(database.inTransaction).toBe(true)
    other.exec('ROLLBACK')
  })
})

describe('a transaction of the application', () => {
  it('that is open refuses ours, and goes on', async () => {
    const { database, store, effects, add } = shop()
    const lease = await leased(store, 'key')
    const { execution, calls } = fakeExecution(lease)
    database.exec('BEGIN')
    add('A-100')
    await expect(store.transaction(execution, () => expect.unreachable())).rejects.toMatchObject({
      code: 'transaction-open',
      status: 500,
    })
    expect(calls).toEqual([])
    database.exec('COMMIT')
    expect(effects()).toEqual(['A-100'])
  })

  it('that is a query still being read refuses ours', async () => {
    const { database, store, add } = shop()
    add('A-100')
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    for (const _ of database.prepare('SELECT * FROM stock').iterate()) {
      await expect(store.transaction(execution, () => expect.unreachable())).rejects.toMatchObject({
        code: 'store-unavailable',
        cause: expect.any(TypeError),
      })
    }
    expect(calls).toEqual(['rolled back: busy'])
    expect(database.pragma('busy_timeout', { simple: true })).toBe(5000)
  })

  it('may have tables of our names elsewhere', async () => {
    const { database, store } = shop()
    database.exec('CREATE TEMP TABLE retrysafe_records (record_key TEXT)')
    const { execution } = fakeExecution(await leased(store, 'key'))
    await store.transaction(execution, () => 1)
    expect(await store.read('key')).toMatchObject({ state: 'completed' })
  })
})
