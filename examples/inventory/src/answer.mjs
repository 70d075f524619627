// @ts-check

/** @typedef {import('express').Response} Response */

/**
 * What the sender of an adjustment is told. Refusals are answers like any other: they are kept and replayed.
 *
 * @param {Response} res
 * @param {import('./stock.mjs').Outcome} outcome
 */
export const answerAdjustment = (res, outcome) => {
  switch (outcome.kind) {
    case 'adjusted': {
      const { adjustment } = outcome
      res.status(201).location(`/adjustments/${adjustment.id}`).json(adjustment)
      return
    }
    case 'unknown-sku':
      answerProblem(res, 404, 'unknown-sku', `There is no ${outcome.sku}.`)
      return
    case 'below-zero': {
      const { item, delta } = outcome
      const detail = `${item.sku} has ${item.onHand} on hand, too few for ${delta}.`
      answerProblem(res, 422, 'stock-below-zero', detail)
    }
  }
}

const titles = {
  unauthenticated: 'Unknown supplier',
  'invalid-adjustment': 'Not an adjustment',
  'unknown-sku': 'Unknown SKU',
  'unknown-adjustment': 'Unknown adjustment',
  'stock-below-zero': 'Stock would fall below zero',
}

/**
 * A problem of this API (RFC 9457).
 *
 * @param {Response} res
 * @param {number} status
 * @param {keyof typeof titles} code
 * @param {string} detail
 */
export const answerProblem = (res, status, code, detail) => {
  const type = `https://inventory.example/problems/${code}`
  res.status(status).type('application/problem+json')
  res.json({ type, title: titles[code], status, detail })
}
