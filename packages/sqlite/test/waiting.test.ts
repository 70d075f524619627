import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createIdempotency, type IdempotencyStore } from '@retrysafe/core'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { sqliteStore } from '../src/index.js'
import { compiled } from './compiled.js'
import { fakeExecution } from './fake-execution.js'
import type { Ending } from './programs/holder.js'
import { applicationDatabase, bytes, closing, leased, sharedStore } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

const operation = { key: 'k', scope: 's' }
const never = new AbortController().signal

/** A store that counts how often it is read, as those who wait do. */
const counted = (store: IdempotencyStore) => {
  const counts = { read: 0, acquire: 0 }
  return {
    counts,
    store: {
      ...store,
      acquire: (claim) => {
        counts.acquire++
        return store.acquire(claim)
      },
      read: (recordKey) => {
        counts.read++
        return store.read(recordKey)
      },
    } satisfies IdempotencyStore,
  }
}

describe('changed()', () => {
  const endings: [string, (store: IdempotencyStore) => Promise<unknown>][] = [
    [
      'a completion',
      async (store) =>
        store.complete(await leased(store, 'key'), { result: bytes('a'), retentionMs: 1_000 }),
    ],
    [
      'a failure',
      async (store) =>
        store.fail(await leased(store, 'key'), { inDoubt: true, retentionMs: 1_000 }),
    ],
    ['a release', async (store) => store.release(await leased(store, 'key'))],
  ]

  it.each(endings)('ends with %s in the same process, for all who wait', async (_, end) => {
    const store = closing(sqliteStore(temporaryFile()))
    const changed = [store.changed?.('key', never), store.changed?.('key', never)]
    await end(store)
    await Promise.all(changed)
  })

  it('ends when the record can be read as it is now, not before', async () => {
    const store = closing(sqliteStore(temporaryFile()))
    const found = store.changed?.('key', never).then(() => store.read('key'))
    await store.complete(await leased(store, 'key'), { result: bytes('a'), retentionMs: 1_000 })
    expect(await found).toMatchObject({ state: 'completed' })
  })

  it('ends with the commit of a transaction, and not where that is rolled back', async () => {
    const database = applicationDatabase(temporaryFile())
    const store = sharedStore(database)
    const lease = await leased(store, 'key')
    let isTold = false
    const changed = store.changed?.('key', never).then(() => {
      isTold = true
    })
    const failing = () => {
      throw new Error('below zero')
    }
    await expect(store.transaction(fakeExecution(lease).execution, failing)).rejects.toThrow()
    await new Promise(setImmediate)
    expect(isTold).toBe(false)
    await store.transaction(fakeExecution(lease).execution, () => {
      database.exec(`INSERT INTO stock (sku, on_hand) VALUES ('A-100', 95)`)
    })
    await changed
  })

  it('is not disturbed by another record, or by another handle on the file', async () => {
    const file = temporaryFile()
    const [store, other] = [closing(sqliteStore(file)), closing(sqliteStore(file))]
    const leaving = new AbortController()
    let isTold = false
    const changed = store.changed?.('key', leaving.signal).then(() => {
      isTold = true
    })
    await store.release(await leased(store, 'another'))
    await other.release(await leased(other, 'key'))
    await new Promise(setImmediate)
    expect(isTold).toBe(false)
    leaving.abort()
    await changed
  })

  it('ends when the store is closed, and is refused afterwards', async () => {
    const store = sqliteStore(temporaryFile())
    const changed = store.changed?.('key', never)
    await store.close()
    await changed
    await expect(store.changed?.('key', never)).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('who waits for a first', () => {
  it('in the same process is told with its commit, from a handful of looks', async () => {
    const database = applicationDatabase(temporaryFile())
    const shared = sharedStore(database)
    const { store, counts } = counted(shared)
    const { run } = createIdempotency({ store, onInFlight: { waitMs: 10_000 } })
    let commit = (): void => {}
    const told = new Promise<void>((resolve) => {
      commit = resolve
    })
    const first = run(operation, async (execution) => {
      await told
      return shared.transaction(execution, () => {
        database.exec(`INSERT INTO stock (sku, on_hand) VALUES ('A-100', 95)`)
        return 'committed'
      })
    })
    const work = vi.fn()
    const waiting = Array.from({ length: 1_000 }, () => run(operation, work))
    await vi.waitUntil(() => counts.acquire === 1_001 && counts.read > 0, { timeout: 10_000 })
    commit()
    expect(await first).toBe('committed')
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['committed']))
    expect(counts.read).toBeLessThan(30)
    expect(work).not.toHaveBeenCalled()
  })

  it('on another handle on the file finds out by looking', async () => {
    const file = temporaryFile()
    const one = createIdempotency({ store: closing(sqliteStore(file)) })
    const { store, counts } = counted(closing(sqliteStore(file)))
    const { run } = createIdempotency({ store, onInFlight: { waitMs: 10_000 } })
    let end = (_: string): void => {}
    const first = one.run(operation, () => new Promise<string>((resolve) => (end = resolve)))
    await vi.waitUntil(() => one.inspect(operation).then(({ state }) => state === 'in_flight'))
    const waiting = [run(operation, () => 'second'), run(operation, () => 'third')]
    await vi.waitUntil(() => counts.read > 1)
    end('first')
    expect(await Promise.all([first, ...waiting])).toEqual(['first', 'first', 'first'])
  })
})

describe('who waits for a first in another process', { timeout: 60_000 }, () => {
  let program: string
  beforeAll(async () => {
    program = await compiled('holder')
  })

  /** A thousand in this process wait for the key that a process holds. */
  const waitingFor = async (waitMs: number) => {
    const file = temporaryFile()
    const child: ChildProcess = fork(program, [file])
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    await once(child, 'message')
    const { store, counts } = counted(closing(sqliteStore(file)))
    const { run } = createIdempotency({ store, onInFlight: { waitMs } })
    const work = vi.fn(() => 'mine')
    const waiting = Array.from({ length: 1_000 }, () =>
      run(operation, work).catch(({ code, retryAfterMs }) => `${code} ${retryAfterMs}`),
    )
    await vi.waitUntil(() => counts.acquire === 1_000 && counts.read > 1, { timeout: 20_000 })
    return { child, run, work, counts, answers: async () => new Set(await Promise.all(waiting)) }
  }

  it.each<[Ending, (pid: number | undefined) => string]>([
    ['returns', (pid) => `made by ${pid}`],
    ['throws', () => 'request-in-flight 1000'],
    ['releases', () => 'request-in-flight 1000'],
  ])('that %s is told so, from a handful of looks', async (ending, answer) => {
    const { child, work, counts, answers } = await waitingFor(20_000)
    child.send(ending)
    expect(await answers()).toEqual(new Set([answer(child.pid)]))
    expect(counts.read).toBeLessThan(60)
    expect(work).not.toHaveBeenCalled()
  })

  it('that is killed is refused when its time is over, and nobody runs', async () => {
    const { child, run, work, counts, answers } = await waitingFor(1_500)
    child.kill('SIGKILL')
    expect(await answers()).toEqual(new Set(['request-in-flight 1000']))
    expect(counts.read).toBeLessThan(30)
    expect(work).not.toHaveBeenCalled()
    await expect(run({ ...operation, payload: 2 }, work)).rejects.toMatchObject({
      code: 'key-reused',
    })
  })
})
