import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach } from 'vitest'

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** Serves until the test is over. */
export const serve = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** An answer as sent, without its date and its framing. */
export interface Exchanged {
  /** Status line and fields; those of informational answers first. */
  readonly head: string
  readonly body: string
  readonly trailers: string
}

/**
 * One request on one connection, and all that comes back until it closes. The body goes as latin1, `chunks` as they are,
 * with their framing.
 */
export const exchange = (
  port: number,
  { method = 'POST', path = '/', key = '', headers = {}, body = '', chunks = '' } = {},
): Promise<Exchanged> => {
  const fields: Record<string, string> = { Host: 'shop', Connection: 'close', ...headers }
  if (key !== '') fields['Idempotency-Key'] = key
  if (body !== '') fields['Content-Length'] = String(Buffer.byteLength(body, 'latin1'))
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    socket.once('error', reject)
    socket.once('close', () => {
      resolve(parsed(Buffer.concat(received).toString('latin1')))
    })
    socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}${chunks}`, 'latin1')
  })
}

const parsed = (text: string): Exchanged => {
  const end = endOfHeads(text)
  const head = text
    .slice(0, end)
    .replace(/\r\n(Date|Content-Length|Transfer-Encoding): [^\r]*/gi, '')
    .replace(/\r\n\r\n$/, '')
  const isChunked = /\r\ntransfer-encoding: chunked/i.test(text.slice(0, end))
  if (!isChunked) return { head, body: text.slice(end), trailers: '' }
  let body = ''
  let at = end
  for (;;) {
    const line = text.indexOf('\r\n', at)
    const length = Number.parseInt(text.slice(at, line), 16)
    if (!(length > 0)) return { head, body, trailers: text.slice(line + 2).trim() }
    body += text.slice(line + 2, line + 2 + length)
    at = line + 2 + length + 2
  }
}

/** Informational answers come with heads of their own. */
const endOfHeads = (text: string): number => {
  let at = 0
  while (/^HTTP\/1\.1 1\d\d/.test(text.slice(at, at + 12))) at = text.indexOf('\r\n\r\n', at) + 4
  return text.indexOf('\r\n\r\n', at) + 4
}
