// @ts-check

/**
 * The supplier who sent a request, by its Authorization field; nobody's is ''. In this example a bearer token is
 * simply its supplier's name.
 *
 * @param {string | undefined} authorization
 */
export const supplierOf = (authorization) => /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? ''
