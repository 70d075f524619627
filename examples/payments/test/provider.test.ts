import { expect, test } from 'vitest'
import { pay, payout } from './client.js'
import { newFolder, operate, startApplication, startProvider } from './payments.js'

const order = { reference: 'r', ...payout }

const charge = async (url: string, key: string, body: object = order) => {
  const response = await fetch(`${url}/charges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as { id?: string } }
}

test.concurrent('a provider with keys charges once for a key, also when it was killed in between', {
  timeout: 60_000,
}, async ({ onTestFinished }) => {
  const folder = newFolder(onTestFinished)
  const before = await startProvider({ folder }, onTestFinished)
  const made = { status: 201, body: { id: 'ch_1', ...order } }
  expect(await charge(before.url, 'a')).toEqual(made)
  await before.kill()

  const { url, charges } = await startProvider({ folder }, onTestFinished)
  expect((await charge(url, 'b')).body.id).toBe('ch_2')
  expect(await charge(url, 'a')).toEqual(made)
  expect((await charge(url, 'a', { ...order, amount: 1 })).status).toBe(422)
  expect((await charge(url, '')).status).toBe(400)
  expect(await charges()).toHaveLength(2)
})

test.concurrent('a provider without keys charges each time, and is asked by reference', {
  timeout: 60_000,
}, async ({ onTestFinished }) => {
  const folder = newFolder(onTestFinished)
  const { url } = await startProvider({ folder, keys: 'off' }, onTestFinished)
  const ids = [await charge(url, 'a'), await charge(url, 'a')].map(({ body }) => body.id)
  expect(ids).toEqual(['ch_1', 'ch_2'])
  const found = async (reference: string) =>
    (await fetch(`${url}/charges?reference=${reference}`)).json()
  expect(await found('r')).toHaveLength(2)
  expect(await found('s')).toEqual([])
})

test.concurrent('while nobody is there to charge, a payout is known to have had no effect, and a retry runs', {
  timeout: 60_000,
}, async ({ onTestFinished }) => {
  const folder = newFolder(onTestFinished)
  const gone = await startProvider({ folder }, onTestFinished)
  await gone.kill()
  const terms = { folder, providerUrl: gone.url, onDoubt: 'reject' } as const
  const { url } = await startApplication(terms, onTestFinished)
  expect(await pay(url, 'k')).toMatchObject({ status: 502, replayed: false })

  await startProvider({ folder, port: gone.port }, onTestFinished)
  expect(await pay(url, 'k')).toMatchObject({ status: 201, body: { charge: 'ch_1', ...payout } })
  expect(await pay(url, 'k', { ...payout, amount: 1 })).toMatchObject({ status: 422 })
})

test.concurrent('an operator who does not say which key is told how to', {
  timeout: 60_000,
}, async ({ onTestFinished }) => {
  const terms = { folder: newFolder(onTestFinished), providerUrl: 'http://127.0.0.1:9' }
  const { code } = await operate(terms, ['resolve', 'north', 'k'], onTestFinished)
  expect(code).toBe(2)
})
