import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  hasPostgresServer,
  startPostgres,
} from '../../packages/postgres/test/servers/postgres-server.js'
import { hasRedisServer, startRedis } from '../../packages/redis/test/servers/redis-server.js'
import { createApplication, printed } from './application.js'

// What the pages leave to their reader is put before or behind the blocks, which stand as printed.
const listening = `
import type { AddressInfo } from 'node:net'
const server = app.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port)
})
`
const listened = `port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(port))`
const served = `
import { serve } from '@hono/node-server'
serve({ fetch: app.fetch, ${listened}
`
const orders = `
import type { Request } from 'express'
let orders = 0
function accountOf(req: Request): string {
  return req.get('authorization') ?? 'nobody'
}
async function createOrder(body: { item: string }): Promise<{ id: number; item: string }> {
  return { id: ++orders, item: body.item }
}
app.get('/count', (_req, res) => {
  res.json(orders)
})
`
const stock = (database: string) => `
import Database from 'better-sqlite3'
import express from 'express'
import { idempotency } from '@retrysafe/express'
import { sqliteStore } from '@retrysafe/sqlite'
const scope = 'global'
const app = express()
app.use(express.json())
const before = new Database('${database}')
before.exec("CREATE TABLE stock (sku TEXT, on_hand INTEGER); INSERT INTO stock VALUES ('A-100', 100)")
before.close()
`
const adjusting = `
const adjust = db.prepare(
  \`WITH given (sku, delta) AS (VALUES (?, ?))
   UPDATE stock SET on_hand = on_hand + (SELECT delta FROM given)
   WHERE sku = (SELECT sku FROM given) RETURNING on_hand\`,
)
app.get('/count', (_req, res) => {
  res.json(db.prepare('SELECT on_hand FROM stock').pluck().get())
})
`

const framed = `
import express, { type Request } from 'express'
import { idempotency } from '@retrysafe/express'
const app = express()
app.use(express.json())
function accountOf(req: Request): string {
  return req.get('authorization') ?? 'nobody'
}
`
const ordering = `
let orders = 0
app.post('/orders', once, (req, res) => {
  res.status(201).json({ id: ++orders, item: req.body.item })
})
`
const inPostgres = `
await pool.query('CREATE TABLE stock (sku text, on_hand integer)')
await pool.query("INSERT INTO stock VALUES ('A-100', 100)")
const adjustment = 'UPDATE stock SET on_hand = on_hand + $2 WHERE sku = $1 RETURNING on_hand'
app.get('/count', async (_req, res) => {
  const { rows } = await pool.query('SELECT on_hand FROM stock')
  res.json(rows[0].on_hand)
})
`

const redis = hasRedisServer ? await startRedis() : undefined
const postgres = hasPostgresServer ? await startPostgres() : undefined
const application = createApplication()
afterAll(async () => {
  await application.remove()
  await Promise.all([redis?.stop(), postgres?.stop()])
})

const [ten = '', together = ''] = printed('README.md')
const [run = ''] = printed('packages/core/README.md')
const [mounted = ''] = printed('packages/express/README.md')
const [onKoa = '', togetherOnKoa = ''] = printed('packages/koa/README.md')
const [onRedis = '', redisClients = ''] = printed('packages/redis/README.md')
const [onPostgres = '', togetherOnPostgres = '', byDrizzle = ''] = printed(
  'packages/postgres/README.md',
)
const [onHono = '', togetherOnHono = ''] = printed('packages/hono/README.md')

beforeAll(
  () =>
    application.compile({
      ten: ten + orders + listening,
      together: stock('shop.db') + together + adjusting + listening,
      run,
      mounted: mounted.replace('shop.db', 'mounted.db') + listening,
      koa: onKoa.replace('shop.db', 'koa.db') + listening,
      togetherOnKoa: togetherOnKoa.replace('stock.db', 'koa-stock.db') + listening,
      hono: onHono.replace('shop.db', 'hono.db').replace('port: 3000 })', listened),
      togetherOnHono: togetherOnHono.replace('stock.db', 'hono-stock.db') + served,
      onRedis:
        framed + onRedis.replace('redis://localhost:6379', redis?.url ?? '') + ordering + listening,
      redisClients: `import { redisStore } from '@retrysafe/redis'\n${redisClients}`,
      onPostgres: framed + onPostgres + inPostgres + togetherOnPostgres + byDrizzle + listening,
    }),
  120_000,
)

const post = async (port: string, path: string, body: object, key = '5f2f1d1e-4a0a-4f0e') => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer someone',
      'content-type': 'application/json',
      'idempotency-key': `"${key}"`,
    },
    body: JSON.stringify(body),
  })
  return {
    status: response.status,
    location: response.headers.get('location'),
    replayed: response.headers.get('idempotent-replayed'),
    bytes: Buffer.from(await response.arrayBuffer()).toString('utf8'),
  }
}
const count = async (port: string) => (await fetch(`http://127.0.0.1:${port}/count`)).json()

test('the ten lines of the README compile as printed, and an order that is sent twice is made once', async () => {
  const port = await application.start('ten')
  const first = await post(port, '/orders', { item: 'book' })
  expect(first).toMatchObject({ status: 201, location: '/orders/1', replayed: null })
  expect(await post(port, '/orders', { item: 'book' })).toEqual({ ...first, replayed: 'true' })
  expect(await count(port)).toBe(1)
})

test('the transaction of the README compiles as printed, and an adjustment that is sent twice is made once', async () => {
  const port = await application.start('together')
  const first = await post(port, '/adjustments', { sku: 'A-100', delta: -5 })
  expect(first).toMatchObject({ status: 201, replayed: null, bytes: '{"on_hand":95}' })
  expect(await post(port, '/adjustments', { sku: 'A-100', delta: -5 })).toEqual({
    ...first,
    replayed: 'true',
  })
  expect(await count(port)).toBe(95)
})

test("the page of core: a function's value is the same both times", async () => {
  expect(await application.start('run')).toBe('true')
})

test('the page of the Express binding: the same order, both times', async () => {
  const port = await application.start('mounted')
  const first = await post(port, '/orders', { item: 'book' })
  expect(first).toMatchObject({ status: 201, replayed: null })
  expect(await post(port, '/orders', { item: 'book' })).toEqual({ ...first, replayed: 'true' })
})

test.each([
  ['koa', '/orders'],
  ['hono', '/orders'],
  ['togetherOnKoa', '/adjustments'],
  ['togetherOnHono', '/adjustments'],
])('the pages of Koa and Hono, %s: the same answer, both times', async (program, path) => {
  const port = await application.start(program)
  const first = await post(port, path, { item: 'book' })
  expect(first).toMatchObject({ status: 201, replayed: null })
  expect(await post(port, path, { item: 'book' })).toEqual({ ...first, replayed: 'true' })
})

test.skipIf(!redis)('the page of Redis: the same order, both times', async () => {
  const port = await application.start('onRedis')
  const first = await post(port, '/orders', { item: 'book' })
  expect(first).toMatchObject({ status: 201, replayed: null })
  expect(await post(port, '/orders', { item: 'book' })).toEqual({ ...first, replayed: 'true' })
})

test.skipIf(!postgres)(
  'the page of Postgres: an adjustment that is sent twice is made once',
  async () => {
    const port = await application.start('onPostgres', { DATABASE_URL: postgres?.url })
    const first = await post(port, '/adjustments', { sku: 'A-100', delta: -5 })
    expect(first).toMatchObject({ status: 201, replayed: null, bytes: '{"on_hand":95}' })
    const again = await post(port, '/adjustments', { sku: 'A-100', delta: -5 })
    expect(again).toEqual({ ...first, replayed: 'true' })
    expect(await count(port)).toBe(95)
    // The same by Drizzle.
    const deliver = () => post(port, '/deliveries', { sku: 'A-100', count: 7 }, 'another')
    const delivered = await deliver()
    expect(delivered).toMatchObject({ status: 201, bytes: '{"sku":"A-100","onHand":102}' })
    expect(await deliver()).toEqual({ ...delivered, replayed: 'true' })
    expect(await count(port)).toBe(102)
  },
)
