import { type AddressInfo, connect } from 'node:net'
import { createAdaptorServer, type ServerType } from '@hono/node-server'
import type { Hono } from 'hono'
import { afterEach } from 'vitest'

const servers: ServerType[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** Serves until the test is over. */
export const serve = async (app: Pick<Hono, 'fetch'>): Promise<number> => {
  const server = createAdaptorServer({ fetch: app.fetch })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** An answer as sent, without its date. */
export interface Exchanged {
  /** Status line and fields, names in lower case, sorted: their framing among them. */
  readonly head: string
  readonly body: string
  /** Whether it came to its end. */
  readonly isWhole: boolean
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** One request on one connection, and all that comes back until it closes. */
export const exchange = (
  port: number,
  { method = 'POST', path = '/', key = '', headers = {}, body = '' }: Sent = {},
): Promise<Exchanged> => {
  const fields: Record<string, string> = { Host: 'shop', Connection: 'close', ...headers }
  if (key !== '') fields['Idempotency-Key'] = key
  const isChunked = Object.keys(fields).some((name) => name.toLowerCase() === 'transfer-encoding')
  if (body !== '' && !isChunked) fields['Content-Length'] = String(Buffer.byteLength(body))
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.once('error', reject)
    socket.once('close', () => resolve(parsed(Buffer.concat(chunks).toString('latin1'))))
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    socket.write(isChunked ? inChunks(body) : body)
  })
}

const inChunks = (body: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(body)
  return Buffer.concat([
    Buffer.from(`${bytes.length.toString(16)}\r\n`),
    bytes,
    Buffer.from('\r\n0\r\n\r\n'),
  ])
}

const parsed = (text: string): Exchanged => {
  const end = text.indexOf('\r\n\r\n')
  const [status = '', ...fields] = text.slice(0, end).split('\r\n')
  const named = fields.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()))
  const head = [status, ...named.filter((line) => !line.startsWith('date:')).sort()].join('\n')
  const rest = text.slice(end + 4)
  if (!/\ntransfer-encoding: chunked/.test(head)) return { head, body: rest, isWhole: true }
  let body = ''
  let at = 0
  for (;;) {
    const line = rest.indexOf('\r\n', at)
    const length = Number.parseInt(rest.slice(at, line), 16)
    if (!(length > 0)) return { head, body, isWhole: length === 0 }
    body += rest.slice(line + 2, line + 2 + length)
    at = line + 2 + length + 2
  }
}
