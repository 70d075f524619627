import cluster from 'node:cluster'
import type { StoreNotice } from '@retrysafe/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../src/index.js'

const heardBy = async (store: ReturnType<typeof memoryStore>) => {
  const heard: StoreNotice[] = []
  const stop = store.watch((notice) => heard.push(notice))
  await Promise.resolve()
  return { heard, stop }
}

const forget = () => {
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('retrysafe.memory.cluster-warning')]
  vi.unstubAllEnvs()
}

describe('the warning in a process that has siblings', () => {
  afterEach(forget)

  it('is not given elsewhere', async () => {
    expect((await heardBy(memoryStore())).heard).toEqual([])
  })

  it('is given under pm2, names the cure, and reaches later listeners too', async () => {
    vi.stubEnv('NODE_APP_INSTANCE', '1')
    const store = memoryStore()
    const first = await heardBy(store)
    const later = await heardBy(store)
    expect(first.heard).toEqual([
      { kind: 'warning', message: expect.stringMatching(/sqliteStore\(\).*redisStore\(\)/) },
    ])
    expect(later.heard).toEqual(first.heard)
  })

  it('is given in a worker of node:cluster', async () => {
    Object.defineProperty(cluster, 'isWorker', { value: true, configurable: true, writable: true })
    const { heard } = await heardBy(memoryStore())
    Object.defineProperty(cluster, 'isWorker', { value: false, configurable: true, writable: true })
    expect(heard.map(({ kind }) => kind)).toEqual(['warning'])
  })

  it('is given once a process', async () => {
    vi.stubEnv('NODE_APP_INSTANCE', '1')
    memoryStore()
    expect((await heardBy(memoryStore())).heard).toEqual([])
  })

  it('is not given to a listener that has stopped', async () => {
    vi.stubEnv('NODE_APP_INSTANCE', '1')
    const heard: StoreNotice[] = []
    memoryStore().watch((notice) => heard.push(notice))()
    await Promise.resolve()
    expect(heard).toEqual([])
  })
})
