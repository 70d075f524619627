import { Cluster, Redis } from 'ioredis'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { expect, it } from 'vitest'
import { redisStore } from '../src/index.js'

it('takes the clients of both majors of ioredis, whatever they map replies to', async () => {
  const clients = [
    new Redis({ lazyConnect: true }),
    new Redis({ lazyConnect: true, protocol: 3, replyMapping: 'resp3' }),
    new Cluster([], { lazyConnect: true }),
    new Redis5({ lazyConnect: true }),
    new Cluster5([], { lazyConnect: true }),
  ] as const
  for (const client of clients) {
    const store = redisStore({ client })
    await store.close()
    expect(client.status).toBe('wait')
    client.disconnect()
  }
})

it('takes one source', () => {
  const client = new Redis({ lazyConnect: true })
  // @ts-expect-error: both sources at once.
  expect(() => redisStore({ client, url: 'redis://localhost' })).toThrow(/either/)
  // @ts-expect-error: no source at all.
  expect(() => redisStore({ prefix: 'shop:' })).toThrow(/either/)
  client.disconnect()
})
