// @ts-check
import { answerProblem } from './answer.mjs'

/**
 * The supplier who sent the request. In this example a bearer token is simply its supplier's name.
 *
 * @param {import('express').Request} req
 */
export const supplierOf = (req) => /^Bearer +(.+)$/i.exec(req.get('authorization') ?? '')?.[1] ?? ''

/** @type {import('express').RequestHandler} */
export const requireSupplier = (req, res, next) => {
  if (supplierOf(req)) return next()
  res.set('WWW-Authenticate', 'Bearer')
  answerProblem(res, 401, 'unauthenticated', 'Send the bearer token of a supplier.')
}
