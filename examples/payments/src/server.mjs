// @ts-check
import { createApplication } from './application.mjs'
import { createOnce } from './once.mjs'
import { createProvider } from './provider.mjs'

const {
  PORT = '3000',
  DATABASE = './payouts.db',
  PROVIDER_URL = 'http://localhost:4000',
  ON_DOUBT = 'run-again',
  LEASE_MS,
} = process.env

const provider = createProvider(PROVIDER_URL)
const once = createOnce({
  database: DATABASE,
  provider,
  onDoubt: ON_DOUBT,
  ...(LEASE_MS && { leaseMs: Number(LEASE_MS) }),
})
once.events.on('takeover', ({ scope, attempt, after }) => {
  console.log(`Attempt ${attempt} of ${scope}; the one before was ${after}`)
})
once.events.on('doubt', ({ scope, attempt }) => {
  console.log(`${scope} asks again; what became of attempt ${attempt} is not known`)
})

const app = createApplication({ provider, once })
const server = app.listen(Number(PORT), (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`Payouts listens on http://localhost:${port} (in doubt: ${ON_DOUBT})`)
})

/** Answers what has come in, then lets go of the file. */
const stop = () => {
  server.close(() => void once.close())
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
