// @ts-check

/**
 * Whether a body asks for a payout; the amount is in cents.
 *
 * @param {any} body
 * @returns {body is { amount: number, to: string }}
 */
export const isPayout = (body) =>
  Number.isSafeInteger(body?.amount) && body.amount > 0 && typeof body.to === 'string'

/**
 * What a client is told of a payout, whoever has found out about its charge: the handler, a reconciliation, an operator.
 *
 * @param {import('./provider.mjs').Charge} charge
 */
export const payoutOf = ({ id, amount, to }) => ({ charge: id, amount, to })
