import { afterEach, beforeEach, vi } from 'vitest'

/** Time stands still in every test of the file, and goes on with `vi.advanceTimersByTimeAsync`. */
export const useFakeClock = (): void => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
}
