import { Agent, request } from 'node:http'

/** What a client sees. */
export interface Answer {
  readonly status: number
  readonly isReplay: boolean
  /** As latin1: a character stands for a byte. */
  readonly body: string
  /** Of a problem. */
  readonly code: string | undefined
  readonly retryAfter: string | undefined
}

/** How an order is sent. */
export interface OrderOptions {
  /** @default '/orders' */
  readonly path?: string
  /** @default a connection of its own */
  readonly agent?: Agent
  readonly body?: string
}

/** Sends an order with a key, and waits for all of the answer. */
export const order = (
  port: number,
  key: string,
  { path = '/orders', agent = new Agent(), body = '' }: OrderOptions = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = {
      'Idempotency-Key': key,
      'Content-Type': 'text/plain',
      'Content-Length': body.length,
    }
    const sent = request(
      { host: '127.0.0.1', port, method: 'POST', path, agent, headers },
      (response) => {
        let text = ''
        response.setEncoding('latin1')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.once('error', reject)
        response.once('end', () => {
          const isProblem = response.headers['content-type'] === 'application/problem+json'
          resolve({
            status: response.statusCode ?? 0,
            isReplay: response.headers['idempotent-replayed'] === 'true',
            body: text,
            code: isProblem ? JSON.parse(text).code : undefined,
            retryAfter: response.headers['retry-after'],
          })
        })
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
