// @ts-check
import express from 'express'
import { accountOf } from './account.mjs'
import { isPayout, payoutOf } from './payout.mjs'
import { ProviderError } from './provider.mjs'

/**
 * The API. What becomes of a payout whose process died is for `once` to say, not for the handler.
 *
 * @param {object} parts
 * @param {import('./once.mjs').Provider} parts.provider
 * @param {express.RequestHandler} parts.once
 * @returns {express.Express}
 */
export const createApplication = ({ provider, once }) => {
  const app = express()

  app.post('/payouts', requireAccount, express.json(), once, async (req, res) => {
    if (!isPayout(req.body)) {
      problem(res, 400, 'Send { "amount": cents, "to": text }.')
      return
    }
    const { amount, to } = req.body
    const { scope, attempt, derivedKey, signal, fail } = req.idempotency
    // The same in every attempt: the provider's key, and what its charge is found by.
    const reference = derivedKey('payout')
    console.log(`Attempt ${attempt} of ${scope}: charges ${amount} for ${to} under ${reference}`)
    try {
      const charge = await provider.charge({ reference, amount, to }, signal)
      res.status(201).json(payoutOf(charge))
    } catch (error) {
      // Known to have had no effect: a retry may run, whatever is done about doubt.
      if (error instanceof ProviderError && error.charged === 'nothing') fail()
      throw error
    }
  })

  app.use(refuse)
  return app
}

/** @type {import('express').RequestHandler} */
const requireAccount = (req, res, next) => {
  if (accountOf(req.get('authorization'))) return next()
  problem(res.set('WWW-Authenticate', 'Bearer'), 401, 'Send the bearer token of an account.')
}

/** @type {import('express').ErrorRequestHandler} */
const refuse = (error, _req, res, next) => {
  if (error.type === 'entity.parse.failed') return problem(res, 400, 'Send JSON.')
  if (!(error instanceof ProviderError)) return next(error)
  problem(res, 502, error.message)
}

/** @type {(res: import('express').Response, status: number, detail: string) => void} */
const problem = (res, status, detail) => {
  res.status(status).type('application/problem+json').json({ status, detail })
}
