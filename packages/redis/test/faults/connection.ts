import { once } from 'node:events'
import { connect } from 'node:net'

/** The part of an answer that many are compared by. */
export interface QuickAnswer {
  readonly status: number
  readonly isReplay: boolean
  readonly body: string
}

/** A connection that stays, for very many orders: costs the processor a fraction of what a client of `node:http` does. */
export interface Connection {
  /** One at a time. */
  order(key: string): Promise<QuickAnswer>
  close(): void
}

export const connection = async (port: number): Promise<Connection> => {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay()
  await once(socket, 'connect')
  let received = ''
  let settle: { resolve(answer: QuickAnswer): void; reject(error: Error): void } | undefined
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    received += chunk
    const answer = answerIn(received)
    if (answer === undefined) return
    received = ''
    settle?.resolve(answer)
  })
  socket.once('error', (error) => settle?.reject(error))
  socket.once('close', () => settle?.reject(new Error('The connection has ended')))
  return {
    order: (key) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(
          `POST /orders HTTP/1.1\r\nHost: shop\r\nIdempotency-Key: ${key}\r\nContent-Length: 0\r\n\r\n`,
        )
      }),
    close: () => socket.destroy(),
  }
}

/** `undefined` while some of it is missing. Every answer of the shop has a Content-Length. */
const answerIn = (text: string): QuickAnswer | undefined => {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1])
  const body = text.slice(end + 4)
  if (body.length < length) return undefined
  return { status: Number(head.slice(9, 12)), isReplay: /idempotent-replayed/i.test(head), body }
}
