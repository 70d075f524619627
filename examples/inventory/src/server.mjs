// @ts-check
import { idempotency } from '@retrysafe/express'
import { createApplication } from './application.mjs'
import { openBooks } from './books.mjs'
import { supplierOf } from './supplier.mjs'

const { PORT = '3000', LEASE_MS, WORK_MS = '0' } = process.env

const books = await openBooks(process.env)
const once = idempotency({
  store: books.store,
  scope: (req) => supplierOf(req.get('authorization')),
  required: true,
  ...(LEASE_MS && { leaseMs: Number(LEASE_MS) }),
})
once.events.on('takeover', ({ scope, attempt, after }) => {
  console.log(`Attempt ${attempt} at an adjustment of ${scope}; the one before was ${after}`)
})

const app = createApplication({ books, once, workMs: Number(WORK_MS) })
const server = app.listen(Number(PORT), (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`Inventory listens on http://localhost:${port}`)
})

/** Answers what has come in, then lets go of the databases. */
const stop = () => {
  server.close(async () => {
    await once.close()
    await books.close()
  })
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
