import { readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { applicationDatabase, claimOf, sharedStore } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

const opened = (file: string, options?: Database.Options): Database.Database => {
  const database = new Database(file, options)
  onTestFinished(() => {
    database.close()
  })
  return database
}

describe('a database that is handed in', () => {
  it.each([':memory:', ''])('is refused when it is %j', (name) => {
    expect(() => sqliteStore({ database: opened(name) })).toThrow(
      'expected "database" to be a database in a file, got one in memory or a temporary one',
    )
  })

  it('is refused when it is not in WAL, and stays as it was', () => {
    const file = temporaryFile()
    const database = opened(file)
    database.exec('CREATE TABLE stock (sku TEXT)')
    const open = () => sqliteStore({ database })
    expect(open).toThrow(expect.objectContaining({ code: 'option-invalid' }))
    expect(open).toThrow(`got journal_mode delete, ${file}`)
    expect(database.pragma('journal_mode', { simple: true })).toBe('delete')
    expect(readdirSync(dirname(file))).toEqual(['shop.db'])
  })

  it('is refused when it is read-only', () => {
    const file = temporaryFile()
    applicationDatabase(file)
    expect(() => sqliteStore({ database: opened(file, { readonly: true }) })).toThrow(
      `one opened read-only, ${file}`,
    )
  })

  it('is refused when it is closed', () => {
    const database = applicationDatabase(temporaryFile())
    database.close()
    expect(() => sqliteStore({ database })).toThrow('to be an open database')
  })

  it('is refused while it is in a transaction', () => {
    const database = applicationDatabase(temporaryFile())
    database.exec('BEGIN')
    expect(() => sqliteStore({ database })).toThrow('without an open transaction')
  })

  it('is opened once more with the driver that it was made with', async () => {
    const files: string[] = []
    class Watched extends Database {
      constructor(file: string, options?: Database.Options) {
        super(file, options)
        files.push(file)
      }
    }
    const file = temporaryFile()
    const store = sharedStore(applicationDatabase(file, Watched as unknown as typeof Database))
    expect(files).toEqual([file, file])
    expect(await store.acquire(claimOf('key'))).toMatchObject({ kind: 'acquired' })
  })

  it('stays open when the store closes', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sqliteStore({ database })
    await store.close()
    expect(database.open).toBe(true)
    expect(database.prepare('SELECT count(*) AS n FROM retrysafe_records').get()).toEqual({ n: 0 })
  })

  it('is found again after the process has changed its folder', async () => {
    const file = temporaryFile()
    const before = process.cwd()
    process.chdir(dirname(file))
    const database = (() => {
      try {
        return applicationDatabase('shop.db')
      } finally {
        process.chdir(before)
      }
    })()
    expect(await sharedStore(database).acquire(claimOf('key'))).toMatchObject({ kind: 'acquired' })
  })
})
