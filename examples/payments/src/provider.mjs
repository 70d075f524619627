// @ts-check

/** @typedef {{ id: string, reference: string, amount: number, to: string }} Charge */

/** The provider did not do what it was asked for, or nobody knows whether it has. */
export class ProviderError extends Error {
  /**
   * @param {string} message
   * @param {{ charged: 'nothing' | 'unknown', status?: number, cause?: unknown }} about
   */
  constructor(message, { charged, status, cause }) {
    super(message, { cause })
    this.name = 'ProviderError'
    this.charged = charged
    this.status = status
  }
}

/**
 * The payment provider at an address. All of it rejects with `ProviderError`.
 *
 * @param {string} url
 */
export const createProvider = (url) => {
  /** @type {(path: string, init?: RequestInit) => Promise<any>} */
  const ask = async (path, init) => {
    const response = await fetch(new URL(path, url), init).catch((cause) => {
      // Nobody was there to take it. Of any other line that breaks it is not known what had got through.
      const charged = cause.cause?.code === 'ECONNREFUSED' ? 'nothing' : 'unknown'
      throw new ProviderError('The provider did not answer.', { charged, cause })
    })
    const { ok, status } = response
    if (ok) {
      return response.json().catch((cause) => {
        throw new ProviderError('The answer broke off.', { charged: 'unknown', cause })
      })
    }
    const charged = status < 500 ? 'nothing' : 'unknown'
    throw new ProviderError(`The provider answered ${status}.`, { charged, status })
  }

  return {
    /**
     * Charges under a reference, which is also the key: a provider that knows keys charges once for it.
     *
     * @type {(order: Omit<Charge, 'id'>, signal: AbortSignal) => Promise<Charge>}
     */
    charge: (order, signal) =>
      ask('/charges', {
        method: 'POST',
        signal,
        headers: { 'content-type': 'application/json', 'idempotency-key': order.reference },
        body: JSON.stringify(order),
      }),

    /** @type {(reference: string, signal: AbortSignal) => Promise<Charge | undefined>} */
    find: async (reference, signal) =>
      (await ask(`/charges?reference=${encodeURIComponent(reference)}`, { signal }))[0],

    /** @type {(id: string) => Promise<Charge>} */
    get: (id) => ask(`/charges/${encodeURIComponent(id)}`),
  }
}
