import { Client, Pool, type PoolClient } from 'pg'
import { describe, expect, expectTypeOf, it, onTestFinished } from 'vitest'
import { type PostgresStoreOptions, postgresStore } from '../src/index.js'

const pool = (): Pool => {
  const made = new Pool()
  onTestFinished(() => made.end())
  return made
}

describe('the options of postgresStore', () => {
  it.each([
    ['schema', { schema: '' }, "''"],
    ['schema', { schema: 7 }, '7'],
    ['prepare', { prepare: 'no' }, "'no'"],
    ['storeTimeoutMs', { storeTimeoutMs: 0 }, '0'],
    ['purgeEveryMs', { purgeEveryMs: 1.5 }, '1.5'],
  ])('a wrong %s is refused', (name, options, got) => {
    const open = () =>
      postgresStore({ pool: pool(), ...options } as unknown as PostgresStoreOptions)
    expect(open).toThrow(expect.objectContaining({ code: 'option-invalid', name: 'OptionError' }))
    expect(open).toThrow(`expected "${name}" to be`)
    expect(open).toThrow(`got ${got}.`)
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, 'none'],
    [{ url: 'postgres://localhost', client: {} }, 'more than one'],
    [{ pool: {} }, 'a Object'],
    [{ client: 7 }, '7'],
  ])('the source %j is refused', (source, got) => {
    expect(() => postgresStore(source as unknown as PostgresStoreOptions)).toThrow(`got ${got}.`)
  })

  it('a wrong url is refused, and its password is not told', () => {
    const open = () => postgresStore({ url: 'mysql://user:secret@localhost' })
    expect(open).toThrow('"url" to begin with postgres://')
    expect(open).not.toThrow(/secret/)
  })

  it('a pool and a client of pg are what it takes, and the work gets a client of pg', async () => {
    for (const source of [{ pool: pool() }, { client: new Client() }]) {
      const store = postgresStore(source)
      expectTypeOf(store.transaction<string>)
        .parameter(1)
        .parameter(0)
        .toHaveProperty('query')
      expectTypeOf<PoolClient>().toExtend<Parameters<Parameters<typeof store.transaction>[1]>[0]>()
      await store.close()
    }
  })
})
