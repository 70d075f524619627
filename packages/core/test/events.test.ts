import { describe, expect, it, vi } from 'vitest'
import { createEmitter } from '../src/events.js'
import type { StoreNotice } from '../src/store.js'

const detail = { keyHash: 'h', scope: 's', attempt: 1, durationMs: 0 }

describe('an event', () => {
  it('costs nothing when nobody listens', () => {
    const emitter = createEmitter()
    const made = vi.fn(() => detail)
    emitter.emit('acquired', made)
    const end = emitter.on('acquired', () => {})
    emitter.on('completed', () => {})
    end()
    emitter.emit('acquired', made)
    expect(made).not.toHaveBeenCalled()
  })

  it('is made once for all who listen', () => {
    const emitter = createEmitter()
    const made = vi.fn(() => detail)
    const heard = [vi.fn(), vi.fn()]
    for (const listener of heard) emitter.on('acquired', listener)
    emitter.emit('acquired', made)
    expect(made).toHaveBeenCalledTimes(1)
    for (const listener of heard) expect(listener).toHaveBeenCalledExactlyOnceWith(detail)
  })

  it('reaches the others when a listener throws', () => {
    const emitter = createEmitter()
    const heard = vi.fn()
    emitter.on('acquired', () => {
      throw new Error('an operator’s mistake')
    })
    emitter.on('acquired', heard)
    expect(() => emitter.emit('acquired', () => detail)).not.toThrow()
    expect(heard).toHaveBeenCalledTimes(1)
  })

  it('kills no process when an asynchronous listener rejects', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const emitter = createEmitter()
    emitter.on('acquired', async () => {
      throw new Error('an operator’s mistake')
    })
    emitter.emit('acquired', () => detail)
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('is heard no more after its end, nor after close()', () => {
    const emitter = createEmitter()
    const [ended, closed] = [vi.fn(), vi.fn()]
    emitter.on('acquired', ended)()
    emitter.on('acquired', closed)
    emitter.close()
    emitter.emit('acquired', () => detail)
    expect(ended).not.toHaveBeenCalled()
    expect(closed).not.toHaveBeenCalled()
  })
})

describe('what a store tells', () => {
  it('is passed on as events until close()', () => {
    const emitter = createEmitter()
    const [evicted, warning, ended] = [vi.fn(), vi.fn(), vi.fn()]
    const watching: ((notice: StoreNotice) => void)[] = []
    const tell = (notice: StoreNotice): void => {
      for (const listener of watching) listener(notice)
    }
    emitter.forward((listener) => {
      watching.push(listener)
      return ended
    })
    emitter.on('evicted', evicted)
    emitter.on('warning', warning)
    tell({ kind: 'evicted', recordKey: 'h' })
    tell({ kind: 'warning', message: 'm' })
    expect(evicted).toHaveBeenCalledExactlyOnceWith({ keyHash: 'h' })
    expect(warning).toHaveBeenCalledExactlyOnceWith({ message: 'm' })
    emitter.close()
    expect(ended).toHaveBeenCalledTimes(2)
  })

  it('reaches a listener that comes late, where the store still stands by it', () => {
    const emitter = createEmitter()
    const [evicted, warning] = [vi.fn(), vi.fn()]
    emitter.forward((listener) => {
      listener({ kind: 'warning', message: 'm' })
      return () => {}
    })
    emitter.on('evicted', evicted)
    emitter.on('warning', warning)
    emitter.on('warning', () => {})
    expect(warning).toHaveBeenCalledExactlyOnceWith({ message: 'm' })
    expect(evicted).not.toHaveBeenCalled()
  })

  it('may be nothing', () => {
    const emitter = createEmitter()
    emitter.forward(undefined)
    expect(() => emitter.close()).not.toThrow()
  })
})
