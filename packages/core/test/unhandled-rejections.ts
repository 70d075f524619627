import { afterEach, beforeEach, expect } from 'vitest'

/** After every test of the file: no promise was left unhandled. */
export const expectNoUnhandledRejections = (): void => {
  let unhandled: unknown[] = []
  const collect = (reason: unknown): void => {
    unhandled.push(reason)
  }
  beforeEach(() => {
    unhandled = []
    process.on('unhandledRejection', collect)
  })
  afterEach(async () => {
    // Node tells of them when the microtasks are done.
    await new Promise((resolve) => process.nextTick(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', collect)
    expect(unhandled).toEqual([])
  })
}
