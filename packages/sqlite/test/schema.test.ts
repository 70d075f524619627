import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { applicationDatabase, bytes, claimOf, closing, leased, sharedStore } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

const unavailableAt = (file: string) =>
  expect.objectContaining({
    name: 'StoreError',
    code: 'store-unavailable',
    message: expect.stringContaining(file),
  })

describe('the tables in the file', () => {
  it('bear our prefix and leave user_version to the application', () => {
    const database = applicationDatabase(temporaryFile())
    database.pragma('user_version = 7')
    sharedStore(database)
    const names = database
      .prepare(`SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name`)
      .pluck()
      .all()
    expect(names).toEqual([
      'retrysafe_records',
      'retrysafe_records_expiry',
      'retrysafe_schema',
      'stock',
    ])
    expect(database.pragma('user_version', { simple: true })).toBe(7)
  })

  it('are purged through their index on expiry', () => {
    const database = applicationDatabase(temporaryFile())
    sharedStore(database)
    const plan = database
      .prepare(
        `EXPLAIN QUERY PLAN SELECT rowid FROM retrysafe_records WHERE expires_at <= 1
         ORDER BY expires_at LIMIT 100`,
      )
      .get()
    expect(plan).toMatchObject({
      detail: expect.stringContaining('COVERING INDEX retrysafe_records_expiry'),
    })
  })

  it('are not touched when a store opens them again', async () => {
    const file = temporaryFile()
    await sqliteStore(file).close()
    const before = readFileSync(file)
    await sqliteStore(file).close()
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('of a newer version are refused, and nothing is left open', () => {
    const file = temporaryFile()
    const database = applicationDatabase(file)
    database.exec('CREATE TABLE retrysafe_schema (version INTEGER NOT NULL) STRICT')
    database.exec('INSERT INTO retrysafe_schema VALUES (99)')
    expect(() => sqliteStore(file)).toThrow(unavailableAt(file))
    expect(() => sqliteStore({ database })).toThrow('got version 99')
    database.close()
    // The last connection to leave takes the log along.
    expect(readdirSync(dirname(file))).toEqual(['shop.db'])
  })
})

describe('a file that cannot be used', () => {
  it('is named when its tables are not what their version says', () => {
    const file = temporaryFile()
    const database = applicationDatabase(file)
    database.exec('CREATE TABLE retrysafe_schema (version INTEGER NOT NULL) STRICT')
    database.exec('INSERT INTO retrysafe_schema VALUES (1)')
    expect(() => sqliteStore(file)).toThrow(unavailableAt(file))
    database.close()
    expect(readdirSync(dirname(file))).toEqual(['shop.db'])
  })

  it('is named when its folder is not there', () => {
    const file = `${temporaryFile()}/nowhere/shop.db`
    expect(() => sqliteStore(file)).toThrow(unavailableAt(file))
  })

  it('is named when it is no database', () => {
    const file = temporaryFile()
    writeFileSync(file, 'This is a letter to my aunt. '.repeat(300))
    expect(() => sqliteStore(file)).toThrow(unavailableAt(file))
    expect(() => sqliteStore(file)).toThrow('SQLITE_NOTADB')
  })

  it('is named when it is read-only', async () => {
    const file = temporaryFile()
    await sqliteStore(file).close()
    chmodSync(file, 0o444)
    chmodSync(dirname(file), 0o555)
    // Root may write whatever the mode says.
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid?.(65534)
    try {
      expect(() => sqliteStore(file)).toThrow(unavailableAt(file))
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(dirname(file), 0o755)
    }
  })

  it('holds a record in a state that is unknown: it is refused, not run', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sharedStore(database)
    await leased(store, 'key')
    database.exec(`UPDATE retrysafe_records SET state = 'frozen'`)
    const refusal = { code: 'store-unavailable', message: expect.stringContaining("'frozen'") }
    await expect(store.acquire(claimOf('key'))).rejects.toMatchObject(refusal)
    await expect(store.read('key')).rejects.toMatchObject(refusal)
  })

  it('is named by the verb that finds it corrupt', async () => {
    const file = temporaryFile()
    const store = sqliteStore(file)
    await Promise.all(Array.from({ length: 300 }, (_, index) => leased(store, `key ${index}`)))
    await store.close()
    const database = applicationDatabase(file)
    const root = database
      .prepare(`SELECT rootpage FROM sqlite_schema WHERE name LIKE 'sqlite_autoindex_retrysafe%'`)
      .pluck()
      .get() as number
    database.close()
    const content = readFileSync(file)
    writeFileSync(file, content.fill(0xff, (root - 1) * 4096, root * 4096))
    await expect(closing(sqliteStore(file)).acquire(claimOf('key 7'))).rejects.toThrow(
      unavailableAt(file),
    )
  })

  it('is named by the verb that finds it full, and the verbs beside it go through', async () => {
    class Small extends Database {
      constructor(file: string, options?: Database.Options) {
        super(file, options)
        this.pragma('max_page_count = 40')
      }
    }
    const file = temporaryFile()
    const store = sharedStore(applicationDatabase(file, Small as unknown as typeof Database))
    const lease = await leased(store, 'key')
    const [full, beside] = await Promise.allSettled([
      store.complete(lease, { result: new Uint8Array(1_000_000), retentionMs: 1000 }),
      store.acquire(claimOf('other')),
    ])
    expect(full).toMatchObject({ status: 'rejected', reason: { code: 'store-full' } })
    expect(full).toMatchObject({ reason: { message: expect.stringContaining(file) } })
    expect(full).toMatchObject({ reason: { cause: { code: 'SQLITE_FULL' } } })
    expect(beside).toMatchObject({ status: 'fulfilled', value: { kind: 'acquired' } })
    expect(await store.complete(lease, { result: bytes('small'), retentionMs: 1000 })).toBe('ok')
  })
})
