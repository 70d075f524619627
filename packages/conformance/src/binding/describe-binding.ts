import { describe, it } from 'vitest'
import { prove } from '../guarantee.js'
import { bindingGuarantees } from './binding-guarantees.js'
import type { BindingHarness } from './harness.js'

// What is bound to happen is waited for with patience, and a guarantee waits for several things.
const timeoutMs = 30_000

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
): void => {
  describe(`${name} keeps the binding contract`, () => {
    for (const guarantee of bindingGuarantees)
      it(guarantee.name, { timeout: timeoutMs }, () => prove(guarantee, createHarness))
  })
}
