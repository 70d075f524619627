import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { node, quietly, root } from '../setup/process.mjs'
import { published } from './published.js'

/** What the example leaves to its reader: accounts, orders and a port. Appended, so that it stands as printed. */
const rest = `
import type { Request } from 'express'
import type { AddressInfo } from 'node:net'

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
const server = app.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port)
})
`

const example = () => {
  const block = /^```ts\r?\n(.*?)^```/ms.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1]
  if (block) return block
  throw new Error('README.md has no block that begins with ```ts.')
}

// An application's folder: what it would install lies in its node_modules, ours as built.
const application = mkdtempSync(join(tmpdir(), 'retrysafe-readme-'))
const link = (name: string, directory: string) => {
  const place = join(application, 'node_modules', name)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(realpathSync(join(root, directory)), place, 'junction')
}

let server: ChildProcess
let url: string

beforeAll(async () => {
  for (const { directory, manifest } of published()) link(manifest.name, directory)
  for (const name of ['express', '@types/express'])
    link(name, `packages/express/node_modules/${name}`)
  link('@types/node', 'node_modules/@types/node')
  writeFileSync(join(application, 'package.json'), '{ "private": true, "type": "module" }')
  writeFileSync(join(application, 'example.ts'), example() + rest)
  const flags =
    '--strict --module nodenext --target es2022 --skipLibCheck --types node --noEmitOnError'
  const args = [...flags.split(' '), 'example.ts']
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await quietly('tsc', node(tsc, args, { cwd: application, capture: true }))

  const driver = new URL('../sqlite-driver.mjs', import.meta.url).href
  server = spawn(process.execPath, [`--import=${driver}`, 'example.js'], {
    cwd: application,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [port] = await Promise.race([
    once(server.stdout as NodeJS.ReadableStream, 'data'),
    once(server, 'exit').then(([code]) => Promise.reject(new Error(`It ended with ${code}.`))),
  ])
  url = `http://127.0.0.1:${String(port).trim()}`
}, 60_000)

afterAll(async () => {
  if (server?.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit')
  rmSync(application, { recursive: true, force: true })
})

const order = async () => {
  const response = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer someone',
      'content-type': 'application/json',
      'idempotency-key': '"5f2f1d1e-4a0a-4f0e-9f86-3b8b2c6a1d10"',
    },
    body: JSON.stringify({ item: 'book' }),
  })
  return {
    status: response.status,
    location: response.headers.get('location'),
    replayed: response.headers.get('idempotent-replayed'),
    bytes: Buffer.from(await response.arrayBuffer()).toString('hex'),
  }
}

test('the example of the README compiles as printed, and an order that is sent twice is made once', async () => {
  const first = await order()
  expect(first).toMatchObject({ status: 201, location: '/orders/1', replayed: null })
  expect(await order()).toEqual({ ...first, replayed: 'true' })
  expect(await (await fetch(`${url}/count`)).json()).toBe(1)
})
