import { type IncomingMessage, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

/** An answer that has come whole. */
export interface Answer {
  readonly status: number
  readonly body: string
  readonly replayed: boolean
}

/** Who sends a key until it has an answer, to whichever process listens. */
export interface Sender {
  send(key: string): Promise<Answer>
  /** Why a key was sent again, and how often: the status, or `no answer`. */
  readonly again: ReadonlyMap<string, number>
}

/** The pause between two tries: long enough to leave the processor to the shops. */
const pauseMs = 30

/** Asks for a port at every try; gives up when told so by the signal, or when a key has had no answer for so long. */
export const createSender = (
  port: () => number | undefined,
  { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal },
): Sender => {
  const again = new Map<string, number>()
  return {
    again,
    async send(key) {
      const endsAt = performance.now() + patienceMs
      let last = 'nobody to ask'
      while (performance.now() < endsAt) {
        const to = port()
        if (to !== undefined) {
          const answer = await ask(to, key)
          if (answer && answer.status !== 409 && answer.status < 500) return answer
          const why = String(answer?.status ?? 'no answer')
          last = answer ? `${why} ${answer.body}` : why
          again.set(why, (again.get(why) ?? 0) + 1)
        }
        await delay(pauseMs)
        signal.throwIfAborted()
      }
      throw new Error(`${key} has had no answer within ${patienceMs} ms; the last try: ${last}`)
    },
  }
}

/** Nothing where the connection broke before the last byte. */
const ask = (port: number, key: string): Promise<Answer | undefined> =>
  new Promise((resolve) => {
    const nothing = () => resolve(undefined)
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/orders',
        headers: { 'idempotency-key': key },
        timeout: 20_000,
      },
      (message) => {
        wholeOf(message).then(resolve, nothing)
      },
    )
    sent.on('timeout', () => sent.destroy())
    sent.on('error', nothing)
    sent.end()
  })

const wholeOf = async (message: IncomingMessage): Promise<Answer | undefined> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  if (!message.complete) return undefined
  return {
    status: message.statusCode ?? 0,
    // One character a byte, so that different bytes are different text.
    body: Buffer.concat(chunks).toString('latin1'),
    replayed: message.headers['idempotent-replayed'] === 'true',
  }
}
