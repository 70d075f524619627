import type { Request, Response } from 'express'

/**
 * Whether Express itself gives this 404, since no route took the request. It does not say so; what tells is that
 * no route was entered, and the page and policy that its final handler alone writes.
 */
export const isFinalHandlerAnswer = (
  request: Request,
  response: Response,
  body: Uint8Array,
): boolean =>
  request.route === undefined &&
  response.getHeader('Content-Security-Policy') === "default-src 'none'" &&
  Buffer.from(body).includes(`Cannot ${request.method} `)
