// @ts-check
// Loaded with --import in front of the server: kills its process at an exact point of a payout, so that the
// application itself need not know. `DIE_AT=before-charge`: the order to the provider would leave now;
// `DIE_AT=after-charge`: the provider has charged and answered, and nobody has written that down.
const { DIE_AT } = process.env
const { fetch } = globalThis
const die = () => process.kill(process.pid, 'SIGKILL')

/** @type {typeof fetch} */
const dyingFetch = async (input, init) => {
  const isCharge = init?.method === 'POST'
  if (isCharge && DIE_AT === 'before-charge') die()
  const response = await fetch(input, init)
  if (isCharge && DIE_AT === 'after-charge') die()
  return response
}
Object.assign(globalThis, { fetch: dyingFetch })
