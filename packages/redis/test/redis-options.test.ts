import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type RedisStoreOptions, redisStore } from '../src/index.js'

const client = (): Redis => {
  const made = new Redis({ lazyConnect: true })
  onTestFinished(() => made.disconnect())
  return made
}

describe('the options of redisStore', () => {
  it.each([
    ['prefix', { prefix: 7 }, '7'],
    ['storeTimeoutMs', { storeTimeoutMs: 0 }, '0'],
    ['storeTimeoutMs', { storeTimeoutMs: '2s' }, "'2s'"],
    ['replicas', { replicas: 2 }, '2'],
    ['replicas', { replicas: null }, 'null'],
    ['replicas.count', { replicas: {} }, 'undefined'],
    ['replicas.count', { replicas: { count: 0 } }, '0'],
    ['replicas.timeoutMs', { replicas: { count: 1, timeoutMs: 0.5 } }, '0.5'],
  ])('a wrong %s is refused', (name, options, got) => {
    const open = () => redisStore({ client: client(), ...options } as unknown as RedisStoreOptions)
    expect(open).toThrow(expect.objectContaining({ code: 'option-invalid', name: 'OptionError' }))
    expect(open).toThrow(`expected "${name}" to be`)
    expect(open).toThrow(`got ${got}.`)
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['redis://localhost', "'redis://localhost'"],
    [{}, 'neither'],
    [{ url: 'redis://localhost', client: {} }, 'both'],
    [{ client: {} }, 'a Object'],
    [{ client: null }, 'null'],
  ])('the source %j is refused', (source, got) => {
    expect(() => redisStore(source as unknown as RedisStoreOptions)).toThrow(`got ${got}.`)
  })

  it('a wrong url is refused, and its password is not told', () => {
    const open = () => redisStore({ url: 'http://user:secret@localhost' })
    expect(open).toThrow('"url" to begin with redis:// or rediss://')
    expect(open).not.toThrow(/secret/)
  })

  it('nothing connects a client that was handed in before it is needed', async () => {
    const lazy = client()
    const store = redisStore({ client: lazy })
    expect(lazy.status).toBe('wait')
    await store.close()
    expect(lazy.status).toBe('wait')
  })
})
