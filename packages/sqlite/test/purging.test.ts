import { spawnSync } from 'node:child_process'
import { startPurging } from '@retrysafe/core'
import { describe, expect, it, vi } from 'vitest'
import { compiled } from './compiled.js'
import { applicationDatabase, leased, pause, sharedStore } from './scene.js'
import { temporaryFile } from './temporary-folder.js'

const brief = { leaseMs: 1, retentionMs: 1 }

describe('expired records', () => {
  it('are removed by themselves, in steps', async () => {
    let now = 1_000_000
    const database = applicationDatabase(temporaryFile())
    const store = sharedStore(database, { now: () => now, purgeEveryMs: 5 })
    const count = database.prepare('SELECT count(*) FROM retrysafe_records').pluck()
    await Promise.all(
      Array.from({ length: 250 }, (_, index) => leased(store, `key ${index}`, brief)),
    )
    await leased(store, 'kept')
    await pause(30)
    expect(count.get()).toBe(251)
    now += 10
    await vi.waitFor(() => expect(count.get()).toBe(1), 5000)
    expect(await store.read('kept')).toMatchObject({ state: 'in_flight' })
  })

  it('are removed by hand, as many as asked for, however many that is', async () => {
    let now = 1_000_000
    const store = sharedStore(applicationDatabase(temporaryFile()), { now: () => now })
    await Promise.all(
      Array.from({ length: 250 }, (_, index) => leased(store, `key ${index}`, brief)),
    )
    now += 10
    expect(await store.purgeExpired(0)).toBe(0)
    expect(await store.purgeExpired(7)).toBe(7)
    expect(await store.purgeExpired(1000)).toBe(243)
    expect(await store.purgeExpired(1000)).toBe(0)
  })

  it('are looked for again after a step that failed, until it is ended', async () => {
    const step = vi.fn(async () => {
      if (step.mock.calls.length === 1) throw new Error('busy')
      return 0
    })
    const stop = startPurging(step, 2)
    await vi.waitFor(() => expect(step.mock.calls.length).toBeGreaterThan(2), 5000)
    stop()
    const calls = step.mock.calls.length
    await pause(20)
    expect(step.mock.calls.length).toBe(calls)
    expect(step).toHaveBeenCalledWith(100)
  })

  it('keep no process alive', { timeout: 20_000 }, async () => {
    const program = await compiled('idle')
    const timeout = 15_000
    const { status } = spawnSync(process.execPath, [program, temporaryFile()], { timeout })
    expect(status).toBe(0)
  })
})
