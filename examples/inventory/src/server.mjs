// @ts-check
import { idempotency } from '@retrysafe/express'
import Database from 'better-sqlite3'
import { createApplication } from './application.mjs'
import { openStock } from './stock.mjs'
import { openStore } from './store.mjs'
import { supplierOf } from './supplier.mjs'

const {
  PORT = '3000',
  DATABASE = './inventory.db',
  STORE = 'sqlite',
  REDIS_URL = 'redis://localhost:6379',
  LEASE_MS,
  WORK_MS = '0',
} = process.env

const db = new Database(DATABASE)
db.pragma('journal_mode = WAL')

const store = openStore(STORE, { db, redisUrl: REDIS_URL })
const once = idempotency({
  store,
  scope: (req) => supplierOf(req.get('authorization')),
  required: true,
  ...(LEASE_MS && { leaseMs: Number(LEASE_MS) }),
})
once.events.on('takeover', ({ scope, attempt, after }) => {
  console.log(`Attempt ${attempt} at an adjustment of ${scope}; the one before was ${after}`)
})

const app = createApplication({ stock: openStock(db), store, once, workMs: Number(WORK_MS) })
const server = app.listen(Number(PORT), (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`Inventory listens on http://localhost:${port}`)
})

/** Answers what has come in, then lets go of the file and of what the store has opened. */
const stop = () => {
  server.close(async () => {
    await once.close()
    db.close()
  })
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
