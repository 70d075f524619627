import { randomBytes } from 'node:crypto'
import { type Codec, compressed, createIdempotency, encrypted } from '@retrysafe/core'
import { describe, expect, it } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { applicationDatabase, closing, sharedStore } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

const operation = { key: 'k', scope: 's' }
const secret = encrypted({ keys: { a: randomBytes(32) }, current: 'a' })
/** As one that asks a key service would be. */
const slow: Codec = {
  synchronous: false,
  readsPlain: false,
  encode: async (bytes, record) => secret.encode(bytes, record),
  decode: async (bytes, record) => secret.decode(bytes, record),
}

describe('a codec that answers later', () => {
  it('is refused at construction beside the application’s database', () => {
    const store = sharedStore(applicationDatabase(temporaryFile()))
    for (const codec of [slow, [compressed(), slow]])
      expect(() => createIdempotency({ store, codec })).toThrow('"codec" to be synchronous')
    expect(() => createIdempotency({ store, codec: [compressed(), secret] })).not.toThrow()
  })

  it('works on a file of the store’s own', async () => {
    const store = closing(sqliteStore(temporaryFile()))
    const { run } = createIdempotency({ store, codec: slow })
    for (const _ of ['first', 'second']) expect(await run(operation, () => 'made')).toBe('made')
  })
})

describe('a codec in a transaction', () => {
  const shop = (codec: Codec) => {
    const file = temporaryFile()
    const database = applicationDatabase(file)
    const store = sharedStore(database)
    const { run, inspect } = createIdempotency({ store, codec })
    const add = () =>
      run(operation, (execution) =>
        store.transaction(execution, () => {
          database.exec(`INSERT INTO stock (sku, on_hand) VALUES ('A-100', 95)`)
          return 'a secret value'
        }),
      )
    const count = () => database.prepare('SELECT count(*) FROM stock').pluck().get()
    const records = () =>
      database.prepare('SELECT result FROM retrysafe_records').pluck().all() as Uint8Array[]
    return { database, inspect, add, count, records }
  }

  it('wraps what is committed with the effects', async () => {
    const { add, count, records } = shop(secret)
    expect(await add()).toBe('a secret value')
    expect(await add()).toBe('a secret value')
    expect(count()).toBe(1)
    const [result = new Uint8Array()] = records()
    expect(result.length).toBeGreaterThan(20)
    expect(Buffer.from(result).includes('secret')).toBe(false)
  })

  it('rolls everything back where it fails, or answers later though it said it would not', async () => {
    const broken = () => {
      throw new Error('no key today')
    }
    for (const encode of [broken, slow.encode]) {
      const { add, count, inspect } = shop({ ...secret, encode })
      await expect(add()).rejects.toThrow(/no key today|synchronous/)
      expect(count()).toBe(0)
      expect(await inspect(operation)).toMatchObject({ state: 'failed' })
    }
  })
})
