import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { sqliteStore } from '../src/index.js'
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

/** A database whose store writes down the SQL that it runs. */
const watched = (file: string) => {
  const statements: string[] = []
  class Watched extends Database {
    constructor(name: string, options?: Database.Options) {
      const verbose = (sql: unknown) => statements.push(String(sql))
      super(name, options ? { ...options, verbose } : {})
    }
  }
  return { database: applicationDatabase(file, Watched as unknown as typeof Database), statements }
}

describe('the verbs of one turn', () => {
  it('are committed together', async () => {
    const { database, statements } = watched(temporaryFile())
    const store = sharedStore(database)
    statements.length = 0
    const leases = await Promise.all(
      Array.from({ length: 64 }, (_, index) => leased(store, `key ${index}`)),
    )
    expect(statements.filter((sql) => sql === 'COMMIT')).toHaveLength(1)
    await Promise.all(
      leases.map((lease) => store.complete(lease, { result: bytes('done'), retentionMs: 1000 })),
    )
    expect(statements.filter((sql) => sql === 'COMMIT')).toHaveLength(2)
  })

  it('take no write lock for a replay or a conflict', async () => {
    const { database, statements } = watched(temporaryFile())
    const store = sharedStore(database)
    const done = await leased(store, 'done')
    await store.complete(done, { result: bytes('done'), retentionMs: 1000 })
    await leased(store, 'in flight')
    statements.length = 0
    await store.acquire(claimOf('done', { token: 'later' }))
    await store.acquire(claimOf('in flight', { token: 'later' }))
    await store.acquire(claimOf('in flight', { token: 'later', fingerprint: 'other' }))
    expect(statements.filter((sql) => !sql.startsWith('SELECT'))).toEqual([])
  })

  it('of which one is wrong answer the others', async () => {
    const store = closing(sqliteStore(temporaryFile()))
    const wrong = claimOf('wrong', { fingerprint: Symbol('no text') as unknown as string })
    const [first, second, third] = await Promise.allSettled([
      store.acquire(claimOf('one')),
      store.acquire(wrong),
      store.acquire(claimOf('two')),
    ])
    expect([first.status, second.status, third.status]).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    expect(await store.read('two')).toMatchObject({ state: 'in_flight' })
  })
})

describe('verbs while the application is in a transaction of its own', () => {
  it('wait for it without holding the event loop, and its rollback takes nothing along', async () => {
    const file = temporaryFile()
    const database = applicationDatabase(file)
    const store = sharedStore(database)
    const lease = await leased(store, 'held')

    database.exec(`BEGIN IMMEDIATE; INSERT INTO stock VALUES ('A-100', 1)`)
    const ticks = countTicks()
    const settled: string[] = []
    const note = (name: string) => () => settled.push(name)
    const verbs = [
      store.acquire(claimOf('new')).finally(note('acquire')),
      store.complete(lease, { result: bytes('done'), retentionMs: 1000 }).finally(note('complete')),
    ]
    expect(await store.read('held')).toMatchObject({ state: 'in_flight' })
    await pause(300)
    expect(settled).toEqual([])
    // Sixty would be all; a held event loop has none.
    expect(ticks.stop()).toBeGreaterThan(20)
    database.exec('ROLLBACK')

    expect(await Promise.all(verbs)).toEqual([
      { kind: 'acquired', attempt: 1, after: 'nothing' },
      'ok',
    ])
    const elsewhere = closing(sqliteStore(file))
    expect(await elsewhere.read('new')).toMatchObject({ state: 'in_flight' })
    expect(await elsewhere.read('held')).toMatchObject({ state: 'completed' })
    expect(database.prepare('SELECT count(*) AS n FROM stock').get()).toEqual({ n: 0 })
  })

  it('go through at once while it only reads', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sharedStore(database, { storeTimeoutMs: 50 })
    database.exec('BEGIN')
    database.prepare('SELECT * FROM stock').all()
    const lease = await leased(store, 'key')
    database.exec('ROLLBACK')
    expect(await store.complete(lease, { result: bytes('done'), retentionMs: 1000 })).toBe('ok')
  })

  it('are refused when it lasts too long, and nothing of them is written', async () => {
    const file = temporaryFile()
    const database = applicationDatabase(file)
    const store = sharedStore(database, { storeTimeoutMs: 60 })
    database.exec('BEGIN IMMEDIATE')
    await expect(store.acquire(claimOf('key'))).rejects.toMatchObject({
      name: 'StoreError',
      code: 'store-unavailable',
      message: expect.stringContaining(file),
      cause: { code: 'SQLITE_BUSY' },
    })
    database.exec('ROLLBACK')
    await pause(20)
    expect(await store.read('key')).toBeUndefined()
    expect(await store.acquire(claimOf('key'))).toMatchObject({ kind: 'acquired' })
  })

  it('are answered before the store closes', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sqliteStore({ database })
    database.exec('BEGIN IMMEDIATE')
    const acquiring = store.acquire(claimOf('key'))
    const closed = store.close()
    await pause(20)
    database.exec('ROLLBACK')
    expect(await acquiring).toMatchObject({ kind: 'acquired' })
    await closed
  })
})

describe('a store that is closed', () => {
  it('rejects every call, and closing it again does nothing', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sqliteStore({ database })
    await store.close()
    await store.close()
    const lease = { recordKey: 'key', token: 'token' }
    const calls = [
      store.acquire(claimOf('key')),
      store.renew(lease, { leaseMs: 1 }),
      store.complete(lease, { result: bytes(''), retentionMs: 1 }),
      store.fail(lease, { inDoubt: false, retentionMs: 1 }),
      store.release(lease),
      store.read('key'),
      store.purgeExpired(1),
      store.transaction({}, () => 1),
    ]
    for (const outcome of await Promise.allSettled(calls))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'closed' } })
  })
})
