// @ts-check
// What every kind of stock speaks of.

/** @typedef {{ sku: string, onHand: number }} Item */
/** @typedef {{ id: number, sku: string, delta: number, onHand: number }} Adjustment */
/**
 * @typedef {{ kind: 'adjusted', adjustment: Adjustment }
 *   | { kind: 'unknown-sku', sku: string }
 *   | { kind: 'below-zero', item: Item, delta: number }
 *   | { kind: 'other-adjustment', adjustment: Adjustment }} Outcome
 */

/**
 * Whether a body asks for an adjustment.
 *
 * @param {any} body
 * @returns {body is { sku: string, delta: number }}
 */
export const isAdjustment = (body) =>
  typeof body?.sku === 'string' && Number.isSafeInteger(body.delta)
