import Database from 'better-sqlite3'
import { describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { fakeExecution } from './fake-execution.js'
import { applicationDatabase, closing, leased, sharedStore } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

const full = 2
const normal = 1

const synchronousOf = (database: Database.Database): unknown =>
  database.pragma('synchronous', { simple: true })

/** The connection that the store has opened, caught where it sets its pragmas. */
const connectionOf = (open: () => unknown): Database.Database => {
  const pragma = vi.spyOn(Database.prototype, 'pragma')
  try {
    open()
    return pragma.mock.contexts.at(-1) as Database.Database
  } finally {
    pragma.mockRestore()
  }
}

describe("the store's own connection", () => {
  it('is synchronous FULL on a new file and on one that is reopened', async () => {
    const file = temporaryFile()
    for (const _ of ['new', 'reopened', 'reopened']) {
      const store = { close: async () => {} }
      const connection = connectionOf(() => Object.assign(store, sqliteStore(file)))
      expect(connection.name).toBe(file)
      expect(synchronousOf(connection)).toBe(full)
      expect(connection.pragma('busy_timeout', { simple: true })).toBe(0)
      expect(connection.pragma('journal_mode', { simple: true })).toBe('wal')
      await store.close()
    }
  })

  it('is synchronous FULL beside an application that is not', () => {
    const database = applicationDatabase(temporaryFile())
    const connection = connectionOf(() => sharedStore(database))
    expect(connection).not.toBe(database)
    expect(synchronousOf(connection)).toBe(full)
  })

  it("is synchronous NORMAL with synchronous: 'normal'", () => {
    const file = temporaryFile()
    const connection = connectionOf(() => closing(sqliteStore(file, { synchronous: 'normal' })))
    expect(synchronousOf(connection)).toBe(normal)
  })
})

describe("the application's connection", () => {
  it.each([
    ['full', 0, full],
    ['full', normal, full],
    ['full', full, full],
    ['full', 3, 3],
    ['normal', 0, normal],
    ['normal', normal, normal],
    ['normal', full, full],
  ] as const)(
    'under %s is raised from synchronous %i to %i for the transaction, and set back',
    async (synchronous, before, during) => {
      const database = applicationDatabase(temporaryFile())
      const store = sharedStore(database, { synchronous })
      database.pragma(`synchronous = ${before}`)
      database.pragma('busy_timeout = 1234')
      const settings = () => [
        synchronousOf(database),
        database.pragma('busy_timeout', { simple: true }),
      ]
      const { execution } = fakeExecution(await leased(store, 'key'))
      expect(await store.transaction(execution, settings)).toEqual([during, 0])
      expect(settings()).toEqual([before, 1234])

      const failing = fakeExecution(await leased(store, 'other'))
      const work = () => {
        throw new Error('out of stock')
      }
      await expect(store.transaction(failing.execution, work)).rejects.toThrow('out of stock')
      expect(settings()).toEqual([before, 1234])
    },
  )

  it('may have its integers as bigint', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sharedStore(database)
    database.defaultSafeIntegers(true)
    const { execution, calls } = fakeExecution(await leased(store, 'key'))
    const count = database.prepare('SELECT count(*) AS n FROM stock')
    expect(await store.transaction(execution, () => count.get())).toEqual({ n: 0n })
    expect(calls.at(-1)).toBe('committed')
    expect(database.pragma('synchronous', { simple: true })).toBe(BigInt(normal))
    expect(await store.read('key')).toMatchObject({ state: 'completed' })
  })
})
