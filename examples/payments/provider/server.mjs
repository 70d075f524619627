// @ts-check
// A payment provider, as others run it: nothing of retrysafe is in here.
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import Database from 'better-sqlite3'
import { isOrder, openCharges } from './charges.mjs'

const { PORT = '4000', DATABASE = './provider.db', KEYS = 'on' } = process.env
const knowsKeys = KEYS !== 'off'

const db = new Database(DATABASE)
const charges = openCharges(db)

/** @type {(request: import('node:http').IncomingMessage) => Promise<[status: number, body: unknown]>} */
const answerTo = async (request) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://provider')
  if (request.method === 'GET') {
    if (pathname === '/charges') return [200, charges.list(searchParams.get('reference'))]
    const charge = charges.find(pathname.replace('/charges/', ''))
    return charge ? [200, charge] : [404, { error: 'There is no such charge.' }]
  }
  if (request.method !== 'POST' || pathname !== '/charges') {
    return [404, { error: 'There is nothing here.' }]
  }

  const order = await json(request).catch(() => undefined)
  if (!isOrder(order)) return [400, { error: 'Send { reference, amount, to }.' }]
  const key = knowsKeys ? request.headers['idempotency-key']?.toString() : undefined
  if (knowsKeys && !key) return [400, { error: 'Send an Idempotency-Key.' }]
  const charge = charges.charge(order, key)
  return charge ? [201, charge] : [422, { error: 'This key was used for another charge.' }]
}

const server = createServer(async (request, response) => {
  const [status, body] = await answerTo(request)
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
})
server.listen(Number(PORT), () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const manner = knowsKeys ? 'one charge for a key' : 'without keys, a charge for each POST'
  console.log(`Provider listens on http://localhost:${port} (${manner})`)
})

const stop = () => {
  server.close(() => db.close())
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
