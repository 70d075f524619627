// @ts-check
// The same API without the layer: every request that arrives is taken for a new one.
import Database from 'better-sqlite3'
import express from 'express'
import { Pool } from 'pg'
import { replyTo } from '../src/reply.mjs'
import { openStock } from '../src/stock.mjs'
import { openStockOnPostgres } from '../src/stock-on-postgres.mjs'

const { PORT = '3000', STORE, DATABASE = './inventory.db', DATABASE_URL } = process.env

const onSqlite = () => {
  const db = new Database(DATABASE)
  db.pragma('journal_mode = WAL')
  const stock = openStock(db)
  return { ...stock, adjust: db.transaction(stock.adjust).immediate, close: () => void db.close() }
}

const onPostgres = async () => {
  const pool = new Pool({ connectionString: DATABASE_URL })
  const stock = await openStockOnPostgres(pool)
  /** @type {(sku: string, delta: number) => Promise<import('../src/adjustment.mjs').Outcome>} */
  const adjust = async (sku, delta) => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      const outcome = await stock.adjust(client, sku, delta)
      await client.query('COMMIT')
      return outcome
    } finally {
      client.release()
    }
  }
  return { ...stock, adjust, close: () => pool.end() }
}

const stock = STORE === 'postgres' ? await onPostgres() : onSqlite()

const app = express()
app.post('/adjustments', express.json(), async (req, res) => {
  const { status, headers, body } = replyTo(await stock.adjust(req.body.sku, req.body.delta))
  res.status(status).set(headers).json(body)
})
app.get('/adjustments', async (_req, res) => {
  res.json(await stock.adjustments())
})
app.get('/stock/:sku', async (req, res) => {
  res.json(await stock.find(req.params.sku))
})

const server = app.listen(Number(PORT), (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`Inventory listens on http://localhost:${port}`)
})
process.once('SIGTERM', () => {
  server.close(() => stock.close())
})
