import { describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../../memory/src/index.js'
import type { IncomingRequest } from '../src/request.js'
import { useFakeClock } from './fake-clock.js'
import { rejects } from './faulty-store.js'
import { executed, httpScene, replied, told } from './http-scene.js'
import { given, incoming, type Native } from './incoming.js'

const waitMs = 5_000
const waiters = 1_000
const scene = (onInFlight: object = {}) => httpScene({ onInFlight: { waitMs, ...onInFlight } })

/** How often the store was read. */
const looks = ({ store }: ReturnType<typeof httpScene>): number =>
  store.calls.filter((verb) => verb === 'read').length

const retryAfter = (begun: Parameters<typeof replied>[0]): string | undefined =>
  replied(begun).headers.find(([name]) => name === 'Retry-After')?.[1]

describe('a thousand who wait for one key', () => {
  it('each get the bytes of the first, from a handful of looks', async () => {
    const here = scene()
    const first = executed(await here.ask())
    const waiting = Array.from({ length: waiters }, () => here.ask())
    await vi.waitUntil(() => here.store.calls.length > waiters, 15_000)
    await first.finish(given(201, 'the bytes'))
    const all = await Promise.all(waiting)
    expect(new Set(all.map(told))).toEqual(new Set(['201 again the bytes']))
    expect(looks(here)).toBeLessThan(20)
    expect(here.heard.names.filter((name) => name === 'acquired')).toHaveLength(1)
  })

  it.each(['fail', 'release'] as const)('are told to ask again after a %s', async (word) => {
    const here = scene()
    const first = executed(await here.ask())
    const waiting = Array.from({ length: waiters }, () => here.ask())
    await vi.waitUntil(() => here.store.calls.length > waiters, 15_000)
    first.execution[word]()
    await first.finish(given(503))
    const all = await Promise.all(waiting)
    expect(new Set(all.map((begun) => replied(begun).status))).toEqual(new Set([409]))
    expect(new Set(all.map(retryAfter))).toEqual(new Set(['1']))
    expect(looks(here)).toBeLessThan(20)
    expect(here.heard.names.filter((name) => name === 'acquired')).toHaveLength(1)
  })
})

describe('who waits', () => {
  useFakeClock()

  it('is refused when time is over, and has looked a few times only', async () => {
    const here = scene()
    await here.ask()
    const waiting = Array.from({ length: waiters }, () => here.ask())
    await vi.advanceTimersByTimeAsync(waitMs)
    const all = await Promise.all(waiting)
    expect(new Set(all.map((begun) => replied(begun).status))).toEqual(new Set([409]))
    expect(looks(here)).toBeLessThan(2 + waitMs / 200)
    // Nothing goes on looking.
    const before = looks(here)
    await vi.advanceTimersByTimeAsync(waitMs)
    expect(looks(here)).toBe(before)
  })

  it('sees what another process has written, though nobody announces it', async () => {
    const here = scene()
    const first = executed(await here.ask())
    expect(here.store.changed).toBeUndefined()
    const waiting = here.ask()
    await vi.advanceTimersByTimeAsync(1_000)
    await first.finish(given(200, 'late'))
    await vi.advanceTimersByTimeAsync(500)
    expect(told(await waiting)).toBe('200 again late')
  })

  it('bears with a store that goes down and comes back', async () => {
    const here = scene()
    const first = executed(await here.ask())
    const waiting = here.ask()
    here.store.always('read', rejects)
    await vi.advanceTimersByTimeAsync(1_000)
    await first.finish(given(200, 'there'))
    here.store.always('read', undefined)
    await vi.advanceTimersByTimeAsync(500)
    expect(told(await waiting)).toBe('200 again there')
  })

  it('does not look without a pause, whatever the store announces', async () => {
    const store = memoryStore()
    let reads = 0
    const here = httpScene({
      onInFlight: { waitMs },
      store: {
        ...store,
        read: (recordKey) => {
          reads++
          return store.read(recordKey)
        },
        changed: async () => {},
      },
    })
    await here.ask()
    const waiting = here.ask()
    await vi.advanceTimersByTimeAsync(waitMs)
    expect(replied(await waiting).status).toBe(409)
    expect(reads).toBeLessThan(waitMs / 20)
  })

  it('comes with another request: refused at once', async () => {
    const here = scene()
    await here.ask()
    expect(replied(await here.ask({ key: 'k', json: { sku: 'B' } })).status).toBe(422)
    expect(looks(here)).toBe(0)
  })

  it('leaves when the client does, and frees the seat', async () => {
    const here = scene({ maxWaiters: 1 })
    await here.ask()
    let leave = (): void => {}
    const leaving: IncomingRequest<Native> = {
      ...incoming({ key: 'k' }),
      whenGone: (listener) => {
        leave = listener
        return () => {}
      },
    }
    const gone = here.layer.begin(leaving)
    await vi.advanceTimersByTimeAsync(10)
    // The room is full: told at once.
    expect(replied(await here.ask()).status).toBe(409)
    leave()
    await gone
    const next = here.ask()
    await vi.advanceTimersByTimeAsync(waitMs - 1)
    let isTold = false
    void next.then(() => {
      isTold = true
    })
    await vi.advanceTimersByTimeAsync(0)
    expect(isTold).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(replied(await next).status).toBe(409)
  })

  it('is let go by close()', async () => {
    const here = scene()
    const first = executed(await here.ask())
    const waiting = here.ask()
    await vi.advanceTimersByTimeAsync(10)
    const closed = here.layer.close()
    expect(replied(await waiting).status).toBe(409)
    await first.finish(given(200))
    await closed
  })
})
