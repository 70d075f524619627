// @ts-check
// What a client is told, whatever the framework that tells it.

/** @typedef {{ status: number, headers: Record<string, string>, body: object }} Reply */

/**
 * What the sender of an adjustment is told. Refusals are answers like any other: they are kept and replayed.
 *
 * @param {import('./adjustment.mjs').Outcome} outcome
 * @returns {Reply}
 */
export const replyTo = (outcome) => {
  switch (outcome.kind) {
    case 'adjusted': {
      const { adjustment } = outcome
      const headers = { Location: `/adjustments/${adjustment.id}` }
      return { status: 201, headers, body: adjustment }
    }
    case 'unknown-sku':
      return unknownSku(outcome.sku)
    case 'below-zero': {
      const { item, delta } = outcome
      const detail = `${item.sku} has ${item.onHand} on hand, too few for ${delta}.`
      return problem(422, 'stock-below-zero', 'Stock would fall below zero', detail)
    }
    case 'other-adjustment': {
      const { sku, delta } = outcome.adjustment
      const detail = `The key was used for an adjustment of ${sku} by ${delta}.`
      return problem(422, 'key-used', 'Key used for another adjustment', detail)
    }
  }
}

/** @returns {Reply} */
export const unauthenticated = () => {
  const detail = 'Send the bearer token of a supplier.'
  const refusal = problem(401, 'unauthenticated', 'Unknown supplier', detail)
  return { ...refusal, headers: { ...refusal.headers, 'WWW-Authenticate': 'Bearer' } }
}

export const invalidAdjustment = () => {
  const detail = 'Send { "sku": text, "delta": whole number }.'
  return problem(400, 'invalid-adjustment', 'Not an adjustment', detail)
}

/** @param {string} sku */
export const unknownSku = (sku) => problem(404, 'unknown-sku', 'Unknown SKU', `There is no ${sku}.`)

/** @param {string} id */
export const unknownAdjustment = (id) =>
  problem(404, 'unknown-adjustment', 'Unknown adjustment', `There is no adjustment ${id}.`)

/**
 * A problem of this API (RFC 9457).
 *
 * @type {(status: number, code: string, title: string, detail: string) => Reply}
 */
const problem = (status, code, title, detail) => ({
  status,
  headers: { 'Content-Type': 'application/problem+json' },
  body: { type: `https://inventory.example/problems/${code}`, title, status, detail },
})
