import type { IdempotencyStore } from '@retrysafe/core'
import { describe, it } from 'vitest'
import { prove } from '../guarantee.js'
import { bindingGuarantees } from './binding-guarantees.js'
import type { BindingHarness } from './harness.js'
import type { OpenStore } from './suite-store.js'

// What is bound to happen is waited for with patience, and a guarantee waits for several things.
const timeoutMs = 30_000

export interface DescribeBindingOptions {
  /** A real store for every application, in place of the suite's own: it is closed with the harness. */
  readonly openStore?: OpenStore
}

/**
 * Proves a binding: one test for each of `bindingGuarantees`, on a harness of its own.
 *
 * @example
 * describeBinding('my framework', async () => ({
 *   serve: async (application) => serveInMyFramework(application),
 *   close: async () => closeAllServers(),
 * }))
 */
export const describeBinding = (
  name: string,
  createHarness: () => Promise<BindingHarness>,
  { openStore }: DescribeBindingOptions = {},
): void => {
  const create = openStore ? () => harnessOn(openStore, createHarness) : createHarness
  describe(`${name} keeps the binding contract`, () => {
    for (const guarantee of bindingGuarantees)
      it(guarantee.name, { timeout: timeoutMs }, () => prove(guarantee, create))
  })
}

const harnessOn = async (
  openStore: OpenStore,
  createHarness: () => Promise<BindingHarness>,
): Promise<BindingHarness> => {
  const harness = await createHarness()
  const opened: IdempotencyStore[] = []
  return {
    serve: harness.serve,
    openStore: (now) => {
      const store = openStore(now)
      opened.push(store)
      return store
    },
    close: async () => {
      await harness.close()
      await Promise.all(opened.map((store) => store.close()))
    },
  }
}
