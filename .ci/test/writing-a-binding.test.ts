import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApplication, printed } from './application.js'

const [onNode = '', served = '', aroundFetch = '', exported = ''] = printed(
  'docs/writing-a-binding.md',
)
const store = `import { sqliteStore } from '@retrysafe/sqlite'\n`
const listening = `
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
`
const asked = `
import application from './fetching.js'
const send = async () => {
  const body = JSON.stringify({ item: 'book' })
  const headers = { 'Idempotency-Key': '"a"', 'Content-Type': 'application/json' }
  const request = new Request('http://shop.example/orders', { method: 'POST', headers, body })
  const response = await application.fetch(request)
  return [response.status, response.headers.get('idempotent-replayed'), await response.text()]
}
console.log(JSON.stringify([await send(), await send()]))
process.exit()
`

const application = createApplication()
afterAll(() => application.remove())
beforeAll(
  () =>
    application.compile({
      serving:
        listening +
        store +
        onNode +
        served.replace('.listen(3000)', ".listen(0, '127.0.0.1', report)") +
        'function report(this: { address(): unknown }) { console.log((this.address() as AddressInfo).port) }',
      fetching: store + aroundFetch + exported,
      asking: asked,
    }),
  120_000,
)

test('the page’s binding for node:http compiles as printed, and replays', async () => {
  const port = await application.start('serving')
  const send = async () => {
    const headers = { 'Idempotency-Key': '"b"' }
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers })
    return [response.status, response.headers.get('idempotent-replayed'), await response.text()]
  }
  expect(await send()).toEqual([201, null, '{"attempt":1}'])
  expect(await send()).toEqual([201, 'true', '{"attempt":1}'])
})

test('the page’s application outlives clients that break off in the middle of a request', async () => {
  const port = Number(await application.start('serving'))
  for (let client = 1; client <= 5; client++) {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    const head = `POST / HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: "cut ${client}"\r\nContent-Length: 9\r\n\r\n`
    await new Promise<void>((resolve) => socket.write(`${head}half`, () => resolve()))
    // Only what has begun to be read can break off.
    await answered(port)
    socket.resetAndDestroy()
    await answered(port)
  }
  expect(await answered(port)).toBe(201)
})

const answered = async (port: number): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' })).status

test('the page’s binding for a fetch handler compiles as printed, and replays', async () => {
  const body = '{"order":{"item":"book"},"attempt":1}'
  expect(JSON.parse(await application.start('asking'))).toEqual([
    [201, null, body],
    [201, 'true', body],
  ])
})
