import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApplication, printed } from './application.js'

// What the page leaves to its reader. The blocks stand as printed, one behind the other.
const before = `
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import express, { type Request, type Response } from 'express'
import { answer, compressed, encrypted } from '@retrysafe/core'
import { idempotency } from '@retrysafe/express'
import { memoryStore } from '@retrysafe/memory'

interface Order { id: number; item: string }
const paid = new Map<string, object>()
const bank = {
  async pay(body: object, given: { idempotencyKey: string; signal?: AbortSignal }) {
    const charge = { id: given.idempotencyKey, ...body }
    paid.set(given.idempotencyKey, charge)
    if ('dies' in body) throw new Error('The line went dead after the charge.')
    return charge
  },
  find: async (id: string) => paid.get(id),
}
const key = randomBytes(32)
const findOrder = async (location: string): Promise<Order> => ({ id: 1, item: 'as of now: ' + location })
async function makeReport(_req: Request, res: Response): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 200))
  res.status(201).json({ reports: ++reports })
}
let reports = 0
const base = { store: memoryStore(), scope: (req: Request) => req.get('x-tenant') }
const once = idempotency(base)
const app = express()
app.use(express.json())
const server = app.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port)
})
`
const behind = `
app.post('/orders', secret, (req, res) => {
  res.status(201).location('/orders/1').json({ id: 1, item: req.body.item })
})
app.post('/fresh', fresh, (_req, res) => {
  res.status(201).location('/orders/1').json({ id: 1, item: 'as it was' })
})
app.post('/tested', inTests, (_req, res) => {
  res.status(201).json({ now })
})
app.post('/later', (_req, res) => {
  aMinuteLater()
  res.end()
})
`

const application = createApplication()
afterAll(() => application.remove())

let port = ''
beforeAll(async () => {
  await application.compile({ using: before + printed('docs/using.md').join('\n') + behind })
  port = await application.start('using')
}, 120_000)

let keys = 0
const sender = (path: string, body: object) => {
  const key = `"using-${++keys}"`
  return async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: {
        'x-tenant': 'tenant-1',
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify(body),
    })
    const replayed = response.headers.get('idempotent-replayed')
    return { status: response.status, replayed, body: await response.json().catch(() => null) }
  }
}

test('a payout is made once', async () => {
  const send = sender('/payouts', { amount: 5 })
  const first = await send()
  expect(first).toMatchObject({ status: 201, body: { amount: 5, attempt: 1 } })
  expect(await send()).toEqual({ ...first, replayed: 'true' })
})

test('a charge that the handler lost sight of is found, and not made twice', async () => {
  const send = sender('/charges', { amount: 7, dies: true })
  expect((await send()).status).toBe(500)
  const found = await send()
  expect(found).toMatchObject({ status: 201, replayed: null, body: { amount: 7 } })
  expect(await send()).toEqual({ ...found, replayed: 'true' })
})

test('a duplicate waits for the report of the first', async () => {
  const send = sender('/reports', {})
  const both = await Promise.all([send(), send()])
  expect(both.map(({ body }) => body)).toEqual([{ reports: 1 }, { reports: 1 }])
  expect(both.map(({ replayed }) => replayed).sort()).toEqual(['true', null].sort())
})

test('an encrypted answer is replayed', async () => {
  const send = sender('/orders', { item: 'book' })
  const first = await send()
  expect(first).toMatchObject({ status: 201, replayed: null })
  expect(await send()).toEqual({ ...first, replayed: 'true' })
})

test('a replay is made afresh', async () => {
  const send = sender('/fresh', {})
  expect((await send()).body).toEqual({ id: 1, item: 'as it was' })
  expect(await send()).toMatchObject({
    status: 201,
    replayed: 'true',
    body: { id: 1, item: 'as of now: /orders/1' },
  })
})

test('a clock that is set makes a key new again', async () => {
  const send = sender('/tested', {})
  const first = await send()
  expect(await send()).toEqual({ ...first, replayed: 'true' })
  await fetch(`http://127.0.0.1:${port}/later`, { method: 'POST' })
  expect(await send()).toMatchObject({ status: 201, replayed: null, body: { now: 60_000 } })
})
