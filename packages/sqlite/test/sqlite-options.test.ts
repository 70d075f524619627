import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type SqliteOptions, type SqliteStoreOptions, sqliteStore } from '../src/index.js'
import { closing } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

describe('the options of sqliteStore', () => {
  it.each([
    ['storeTimeoutMs', { storeTimeoutMs: 0 }, '0'],
    ['storeTimeoutMs', { storeTimeoutMs: 1.5 }, '1.5'],
    ['storeTimeoutMs', { storeTimeoutMs: '2s' }, "'2s'"],
    ['purgeEveryMs', { purgeEveryMs: -1 }, '-1'],
    ['purgeEveryMs', { purgeEveryMs: Number.POSITIVE_INFINITY }, 'Infinity'],
    ['synchronous', { synchronous: 'off' }, "'off'"],
    ['now', { now: 12 }, '12'],
  ])('a wrong %s is refused, and no file is made', (name, options, got) => {
    const file = temporaryFile()
    const open = () => sqliteStore(file, options as unknown as SqliteOptions)
    expect(open).toThrow(expect.objectContaining({ code: 'option-invalid', name: 'OptionError' }))
    expect(open).toThrow(`expected "${name}" to be`)
    expect(open).toThrow(`got ${got}.`)
    expect(existsSync(file)).toBe(false)
  })

  it.each(['', ' ', ':memory:'])('the path %j is refused', (path) => {
    expect(() => sqliteStore(path)).toThrow('expected the path of a file')
  })

  it.each([undefined, null, 7, {}, { database: {} }, { database: undefined }])(
    'the source %j is refused',
    (source) => {
      expect(() => sqliteStore(source as unknown as SqliteStoreOptions)).toThrow(
        expect.objectContaining({ code: 'option-invalid' }),
      )
    },
  )

  it('a duration longer than a timer can hold is one', async () => {
    const store = closing(
      sqliteStore(temporaryFile(), { purgeEveryMs: 2 ** 40, storeTimeoutMs: 2 ** 53 - 1 }),
    )
    expect(await store.read('key')).toBeUndefined()
  })

  it('a clock with fractions of a millisecond will do', async () => {
    const store = closing(sqliteStore(temporaryFile(), { now: () => Date.now() + 0.25 }))
    const claim = {
      recordKey: 'key',
      token: 'token',
      fingerprint: 'print',
      leaseMs: 1000,
      retentionMs: 1000,
      takeover: false,
    }
    expect(await store.acquire(claim)).toEqual({ kind: 'acquired', attempt: 1, after: 'nothing' })
  })
})
