import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { StoreError } from '../src/errors.js'
import type { CommonOptions } from '../src/options.js'
import { createIdempotency } from '../src/run.js'
import { compiled } from './compiled.js'
import { useFakeClock } from './fake-clock.js'
import { faultyStore, gate, hangs, rejects } from './faulty-store.js'
import { heardEvents } from './heard-events.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

const operation = { key: 'k', scope: 's' }

describe('close()', () => {
  useFakeClock()
  expectNoUnhandledRejections()

  const scene = (options: Partial<CommonOptions> = {}) => {
    const store = faultyStore()
    const closed = vi.spyOn(store, 'close')
    const layer = createIdempotency({ store, graceMs: 10_000, ...options })
    let end = (_: string): void => {}
    const work = () =>
      new Promise<string>((resolve) => {
        end = resolve
      })
    return { store, closed, layer, work, end: (value: string) => end(value) }
  }

  it('waits for what runs, and for its ending to be written', async () => {
    const { store, closed, layer, work, end } = scene()
    store.next('complete', rejects)
    const answer = layer.run(operation, work)
    await vi.advanceTimersByTimeAsync(0)
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(closed).not.toHaveBeenCalled()
    end('done')
    await vi.advanceTimersByTimeAsync(1_000)
    await closing
    expect(await answer).toBe('done')
    expect(store.calls).toEqual(['acquire', 'complete', 'complete'])
    expect(closed).toHaveBeenCalledTimes(1)
  })

  it('does not wait for a claim that the store has asked nobody for', async () => {
    const { store, closed, layer, work } = scene()
    const unasked = new StoreError('store-unavailable', 'no connection', { unasked: true })
    store.next('acquire', () => Promise.reject(unasked))
    await expect(layer.run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    await layer.close()
    expect(closed).toHaveBeenCalledTimes(1)
    expect(store.calls).toEqual(['acquire'])
  })

  it('does not wait to see whether a claim that was cut off arrives, nor keep the process for it', async () => {
    const { store, closed, layer, work } = scene()
    store.next('acquire', rejects)
    await expect(layer.run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    await layer.close()
    expect(closed).toHaveBeenCalledTimes(1)
    expect(store.calls).toEqual(['acquire', 'read'])
  })

  it('waits no longer than graceMs, and nothing is tried after that', async () => {
    const { store, closed, layer, work, end } = scene()
    const answer = layer.run(operation, work)
    await vi.advanceTimersByTimeAsync(0)
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(9_999)
    expect(closed).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await closing
    end('too late')
    expect(await answer).toBe('too late')
    const calls = store.calls.length
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(store.calls.length).toBe(calls)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('waits for a claim that is on its way, and for the work that comes of it', async () => {
    const { store, closed, layer, work, end } = scene()
    const late = gate()
    store.next('acquire', late.answer)
    const answer = layer.run(operation, work)
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(100)
    expect(closed).not.toHaveBeenCalled()
    late.open()
    await vi.advanceTimersByTimeAsync(100)
    expect(closed).not.toHaveBeenCalled()
    end('done')
    expect(await answer).toBe('done')
    await closing
    expect(store.calls).toEqual(['acquire', 'complete'])
  })

  it('waits for what runs on the same store through another layer', async () => {
    const { store, closed, layer, work, end } = scene()
    const other = createIdempotency({ store })
    const answer = other.run(operation, work)
    await vi.advanceTimersByTimeAsync(0)
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(closed).not.toHaveBeenCalled()
    end('done')
    await closing
    expect(await answer).toBe('done')
  })

  it('waits for a claim that was given up to be undone', async () => {
    const { store, closed, layer } = scene()
    const late = gate()
    store.next('acquire', late.answer)
    const answer = layer.run(operation, () => 1).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await answer).toMatchObject({ code: 'store-unavailable' })
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(closed).not.toHaveBeenCalled()
    late.open()
    await closing
    expect(store.calls).toEqual(['acquire', 'release'])
  })

  it('does not wait for work past maxRunMs', async () => {
    const { closed, layer, work } = scene({ maxRunMs: 1_000 })
    void layer.run(operation, work)
    await vi.advanceTimersByTimeAsync(0)
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(1_000)
    await closing
    expect(closed).toHaveBeenCalledTimes(1)
  })

  it('lets nothing start any more', async () => {
    const { store, layer } = scene()
    await layer.close()
    const work = vi.fn()
    await expect(layer.run(operation, work)).rejects.toMatchObject({ code: 'store-unavailable' })
    expect(work).not.toHaveBeenCalled()
    expect(store.calls).toEqual([])
  })

  it('leaves no timer, whatever the store did', async () => {
    const { store, layer } = scene({ graceMs: 1_000 })
    for (const verb of ['renew', 'complete', 'fail'] as const) store.always(verb, hangs)
    void layer.run(operation, () => 1)
    void layer
      .run({ ...operation, key: 'other' }, () => Promise.reject(new Error('a')))
      .catch(() => {})
    await vi.advanceTimersByTimeAsync(30_000)
    const closing = layer.close()
    await vi.advanceTimersByTimeAsync(1_000)
    await closing
    await vi.advanceTimersByTimeAsync(5_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends what operators hear', async () => {
    const { layer } = scene()
    const heard = heardEvents(layer.events)
    await layer.close()
    await layer.run(operation, () => 1).catch(() => {})
    expect(heard.names).toEqual([])
  })
})

describe('a process', () => {
  let program: string
  beforeAll(async () => {
    program = await compiled('closing')
  })

  const ended = async (...given: string[]): Promise<unknown> => {
    const child = spawn(process.execPath, [program, ...given], { stdio: 'ignore', timeout: 10_000 })
    const [code, signal] = await once(child, 'exit')
    return signal ?? code
  }

  it('ends by itself once close() has resolved, whatever was going on', async () => {
    const scenes = ['done', 'hanging', 'unwritten', 'given up']
    expect(await Promise.all(scenes.map((scene) => ended(scene, 'closed')))).toEqual([0, 0, 0, 0])
  })

  it('is not kept alive by a layer that nobody closed', async () => {
    expect(await Promise.all([ended('done'), ended('hanging')])).toEqual([0, 0])
  })
})
