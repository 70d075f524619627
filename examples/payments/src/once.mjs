// @ts-check
import { answer } from '@retrysafe/core'
import { idempotency } from '@retrysafe/express'
import { sqliteStore } from '@retrysafe/sqlite'
import { accountOf } from './account.mjs'
import { payoutOf } from './payout.mjs'

/** @typedef {ReturnType<typeof import('./provider.mjs').createProvider>} Provider */

/**
 * The layer, as the server mounts it and the operator uses it.
 *
 * @param {object} parts
 * @param {string} parts.database The file of the records.
 * @param {Provider} parts.provider
 * @param {string} parts.onDoubt What becomes of a payout that was charged, perhaps: the name of a way.
 * @param {number} [parts.leaseMs]
 */
export const createOnce = ({ database, provider, onDoubt, leaseMs }) =>
  idempotency({
    store: sqliteStore(database),
    scope: (req) => accountOf(req.get('authorization')),
    required: true,
    onDoubt: wayOf(onDoubt, provider),
    ...(leaseMs && { leaseMs }),
  })

/**
 * @param {string} name
 * @param {Provider} provider
 */
const wayOf = (name, provider) => {
  switch (name) {
    case 'run-again':
    case 'reject':
      return name
    case 'reconcile':
      return reconciling(provider)
    default:
      throw new Error(`ON_DOUBT is run-again, reject or reconcile, not ${name}.`)
  }
}

/**
 * Asks the provider what the attempt before has charged. While it does, nobody else has the key.
 *
 * @type {(provider: Provider) => (execution: import('@retrysafe/core').Execution) => Promise<import('@retrysafe/core').Answer | 'run-again'>}
 */
const reconciling =
  (provider) =>
  async ({ derivedKey, signal }) => {
    const reference = derivedKey('payout')
    const charge = await provider.find(reference, signal)
    console.log(`  the provider has ${charge ? charge.id : 'nothing'} under ${reference}`)
    return charge ? answer(201, payoutOf(charge)) : 'run-again'
  }
