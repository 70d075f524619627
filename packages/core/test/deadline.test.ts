import { describe, expect, it, vi } from 'vitest'
import { asked, asStoreError, timer, withDeadline } from '../src/deadline.js'
import { IdempotencyError, StoreError } from '../src/errors.js'
import { useFakeClock } from './fake-clock.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

describe('a call with a deadline', () => {
  it('is answered in time, and leaves no timer', async () => {
    expect(await withDeadline(Promise.resolve(1), 1_000)).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is a store error after it, and what comes later harms nobody', async () => {
    let fail = (_: Error): void => {}
    const call = new Promise<never>((_, reject) => {
      fail = reject
    })
    const answer = withDeadline(call, 1_000).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await answer).toMatchObject({ code: 'store-unavailable' })
    fail(new Error('late'))
    await vi.advanceTimersByTimeAsync(0)
  })

  it('is a store error whatever the store throws, and however', async () => {
    const throwing = asked(() => {
      throw new Error('synchronous')
    })
    await expect(withDeadline(throwing, 1_000)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: 'synchronous',
    })
    expect(asStoreError('text')).toMatchObject({ code: 'store-unavailable', message: 'text' })
    expect(asStoreError(undefined)).toBeInstanceOf(StoreError)
    expect(asStoreError(new StoreError('store-full', 'a')).code).toBe('store-full')
    expect(asStoreError(new IdempotencyError('closed', 'a')).code).toBe('store-unavailable')
    expect(asStoreError(Object.assign(new Error('a'), { code: 'store-full' })).code).toBe(
      'store-unavailable',
    )
  })
})

describe('a timer', () => {
  it('longer than Node can keep does not fire at once', async () => {
    const action = vi.fn()
    const { stop } = timer(2 ** 40, action)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(action).not.toHaveBeenCalled()
    stop()
    expect(vi.getTimerCount()).toBe(0)
  })
})
