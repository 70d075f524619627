import { describe, expect, it } from 'vitest'
import { memoryStore } from '../src/index.js'

const claim = {
  recordKey: 'k',
  token: 't',
  fingerprint: 'f',
  leaseMs: 60_000,
  retentionMs: 60_000,
  takeover: false,
}

describe('waiting for a change', () => {
  for (const [what, write] of [
    ['a completion', { verb: 'complete' }],
    ['a failure', { verb: 'fail' }],
    ['a release', { verb: 'release' }],
  ] as const)
    it(`ends with ${what}`, async () => {
      const store = memoryStore()
      await store.acquire(claim)
      const { signal } = new AbortController()
      const changed = Promise.all([store.changed('k', signal), store.changed('k', signal)])
      const result = new Uint8Array()
      if (write.verb === 'complete') await store.complete(claim, { result, retentionMs: 1000 })
      if (write.verb === 'fail') await store.fail(claim, { inDoubt: true, retentionMs: 1000 })
      if (write.verb === 'release') await store.release(claim)
      await changed
      await store.close()
    })

  it('ends when the signal aborts, or has aborted', async () => {
    const store = memoryStore()
    const controller = new AbortController()
    const changed = store.changed('k', controller.signal)
    controller.abort()
    await changed
    await store.changed('k', controller.signal)
    await store.close()
  })

  it('ends when the store is closed, and is refused afterwards', async () => {
    const store = memoryStore()
    const { signal } = new AbortController()
    const changed = store.changed('k', signal)
    await store.close()
    await changed
    await expect(store.changed('k', signal)).rejects.toMatchObject({ code: 'closed' })
  })

  it('is not disturbed by other records', async () => {
    const store = memoryStore()
    const controller = new AbortController()
    let isOver = false
    const changed = store.changed('other', controller.signal).then(() => {
      isOver = true
    })
    await store.acquire(claim)
    await store.release(claim)
    await Promise.resolve()
    expect(isOver).toBe(false)
    controller.abort()
    await changed
    await store.close()
  })
})
