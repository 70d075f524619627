// @ts-check

/**
 * The account that sent a request, by its Authorization field; nobody's is ''. In this example a bearer token is
 * simply its account's name.
 *
 * @param {string | undefined} authorization
 */
export const accountOf = (authorization) => /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? ''
