import { createIdempotency } from '@retrysafe/core'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { bytes, claimOn, openedClient, openedStore, ownPrefix } from './scene.js'
import { someRedis } from './servers/some-redis.js'
import { until } from './servers/until.js'

const server = await someRedis()
afterAll(() => server.stop())

/** A command as the server has got it, and those that a script has made of it. */
interface Seen {
  readonly command: readonly string[]
  readonly inner: readonly string[]
}

/** What the server is asked on a connection while the work runs. */
const watched = async (client: Redis, work: () => Promise<unknown>): Promise<Seen[]> => {
  const address = /addr=(\S+)/.exec(String(await client.client('INFO')))?.[1]
  const watcher = openedClient(server.url)
  const monitor = await watcher.monitor()
  onTestFinished(() => monitor.disconnect())
  const seen: { command: string[]; inner: string[] }[] = []
  let isOver = false
  monitor.on('monitor', (_at: string, args: string[], source: string) => {
    if (isOver) return
    if (source === address && args[1] === 'the end') isOver = true
    else if (source === address) seen.push({ command: args, inner: [] })
    else if (source === 'lua')
      seen.at(-1)?.inner.push(args.map((arg) => arg.slice(0, 12)).join(' '))
  })
  await work()
  await client.echo('the end')
  await until('the server has told all', () => isOver)
  monitor.disconnect()
  return seen
}

const nameOf = ({ command }: Seen): string => (command[0] ?? '').toLowerCase()

describe('on the wire', () => {
  it('a first request costs two round trips, a replay one, on one key each', async () => {
    const client = openedClient(server.url)
    const prefix = ownPrefix()
    const { run } = createIdempotency({ store: openedStore({ client, prefix }) })
    await run({ key: 'warm', scope: 's' }, async () => 1)
    const first = await watched(client, () => run({ key: 'k', scope: 's' }, async () => 1))
    expect(first.map(nameOf)).toEqual(['evalsha', 'evalsha'])
    const again = await watched(client, () => run({ key: 'k', scope: 's' }, async () => 2))
    expect(again.map(nameOf)).toEqual(['evalsha'])
    const keys = new Set([...first, ...again].map(({ command }) => command[3]))
    expect([...keys]).toEqual([expect.stringMatching(new RegExp(`^${prefix}[\\w-]+$`))])
    expect([...first, ...again].map(({ command }) => command[2])).toEqual(['1', '1', '1'])
    expect(await client.keys(`${prefix}*`)).toHaveLength(2)
  })

  it('a late writer is refused by the head alone, however long the result is', async () => {
    const client = openedClient(server.url)
    const store = openedStore({ client, prefix: ownPrefix() })
    const claim = claimOn('k')
    await store.acquire(claim)
    await store.complete(claim, { result: new Uint8Array(1_000_000), retentionMs: 60_000 })
    const late = { recordKey: 'k', token: 'other' }
    const seen = await watched(client, async () => {
      for (const verb of [
        () => store.renew(late, { leaseMs: 1 }),
        () => store.complete(late, { result: bytes('late'), retentionMs: 1 }),
        () => store.fail(late, { inDoubt: false, retentionMs: 1 }),
        () => store.release(late),
      ])
        expect(await verb()).toBe('stale')
    })
    const inner = seen
      .filter((each) => nameOf(each).startsWith('eval'))
      .flatMap((each) => each.inner)
    expect(new Set(inner.map((line) => line.split(' ')[0]))).toEqual(new Set(['GETRANGE']))
  })

  it('an ending publishes where somebody waits, and nowhere else', async () => {
    const client = openedClient(server.url)
    const store = openedStore({ client, prefix: ownPrefix() })
    const published = async (isAwaited: boolean): Promise<number> => {
      const claim = claimOn(`k ${isAwaited}`)
      await store.acquire(claim)
      const left = new AbortController()
      const woken = isAwaited ? store.changed?.(claim.recordKey, left.signal) : undefined
      if (isAwaited) {
        // The flag that the store sets once it listens.
        await until('the wait is announced', async () => {
          const [key] = await client.keys(`*${claim.recordKey}`)
          return (await client.getrange(key ?? '', 3, 3)) === '1'
        })
      }
      const seen = await watched(client, () =>
        store.complete(claim, { result: bytes('done'), retentionMs: 60_000 }),
      )
      await woken
      return seen.flatMap(({ inner }) => inner).filter((line) => /^publish/i.test(line)).length
    }
    expect(await published(false)).toBe(0)
    expect(await published(true)).toBe(1)
    expect(await published(false)).toBe(0)
  })

  it('a script that the server has forgotten is sent once more, and then by its name', async () => {
    const client = openedClient(server.url)
    const store = openedStore({ client, prefix: ownPrefix() })
    await client.script('FLUSH')
    const claim = claimOn('k')
    const seen = await watched(client, async () => {
      expect(await store.acquire(claim)).toMatchObject({ kind: 'acquired' })
      expect(await store.acquire(claim)).toMatchObject({ kind: 'acquired' })
    })
    expect(seen.map(nameOf)).toEqual(['evalsha', 'eval', 'evalsha'])
  })

  it('the keys begin with the prefix of the store, behind that of the client', async () => {
    const client = new Redis(server.url, { keyPrefix: 'theirs:' })
    onTestFinished(() => client.disconnect())
    const prefix = ownPrefix()
    const store = openedStore({ client, prefix })
    const claim = claimOn('k')
    await store.acquire(claim)
    expect(await openedClient(server.url).keys(`*${prefix}*`)).toEqual([`theirs:${prefix}k`])
    const woken = store.changed?.('k', new AbortController().signal)
    await until('the wait is announced', async () => {
      return (await client.getrange(`${prefix}k`, 3, 3)) === '1'
    })
    await store.complete(claim, { result: bytes('done'), retentionMs: 60_000 })
    await woken
  })
})

describe('what a record costs', () => {
  it('is no more than 650 bytes with a result of 300', async () => {
    const client = openedClient(server.url)
    const prefix = `retrysafe:`
    const store = openedStore({ client, prefix })
    const recordKey = 'k'.repeat(43)
    const claim = claimOn(recordKey, { fingerprint: 'f'.repeat(105) })
    await store.acquire(claim)
    await store.complete(claim, { result: new Uint8Array(300), retentionMs: 60_000 })
    expect(await client.memory('USAGE', prefix + recordKey)).toBeLessThanOrEqual(650)
    await client.del(prefix + recordKey)
  })
})
