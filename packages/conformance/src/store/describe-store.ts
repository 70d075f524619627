import { describe, it } from 'vitest'
import { prove } from '../guarantee.js'
import type { StoreHarness } from './harness.js'
import { storeGuarantees } from './store-guarantees.js'

/** How the suite runs; what it asks is always all of it. */
export interface DescribeStoreOptions {
  /**
   * Runs guarantees side by side, each on a harness of its own: for stores whose clock must be waited for, and
   * whose harnesses do not share data.
   * @default false
   */
  readonly concurrent?: boolean
}

// A harness that really waits needs up to half a minute for the random commands.
const timeoutMs = 90_000

/**
 * Proves a store: one test for each of `storeGuarantees`, on a harness of its own.
 *
 * @example
 * describeStore('my store', async () => {
 *   let now = 0
 *   const store = myStore({ now: () => now })
 *   return {
 *     open: async () => store,
 *     advance: async (ms) => {
 *       now += ms
 *     },
 *     close: () => store.close(),
 *   }
 * })
 */
export const describeStore = (
  name: string,
  createHarness: () => Promise<StoreHarness>,
  { concurrent = false }: DescribeStoreOptions = {},
): void => {
  describe(`${name} keeps the store contract`, () => {
    for (const guarantee of storeGuarantees)
      it(guarantee.name, { timeout: timeoutMs, concurrent }, () => prove(guarantee, createHarness))
  })
}
