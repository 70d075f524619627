// @ts-check
// The same API without the layer: every request that arrives is taken for a new one.
import Database from 'better-sqlite3'
import express from 'express'
import { replyTo } from '../src/reply.mjs'
import { openStock } from '../src/stock.mjs'

const { PORT = '3000', DATABASE = './inventory.db' } = process.env

const db = new Database(DATABASE)
db.pragma('journal_mode = WAL')
const stock = openStock(db)
const adjust = db.transaction(stock.adjust)

const app = express()
app.post('/adjustments', express.json(), (req, res) => {
  const { status, headers, body } = replyTo(adjust.immediate(req.body.sku, req.body.delta))
  res.status(status).set(headers).json(body)
})
app.get('/adjustments', (_req, res) => {
  res.json(stock.adjustments())
})
app.get('/stock/:sku', (req, res) => {
  res.json(stock.find(req.params.sku))
})

const server = app.listen(Number(PORT), (error) => {
  if (error) throw error
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`Inventory listens on http://localhost:${port}`)
})
process.once('SIGTERM', () => {
  server.close(() => db.close())
})
