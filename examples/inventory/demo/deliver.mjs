// @ts-check
import { setTimeout } from 'node:timers/promises'

/**
 * @typedef {object} Delivery
 * @property {string} url
 * @property {string} key The same for every attempt: that is how the API can tell a retry.
 * @property {{ sku: string, delta: number }} update
 * @property {number} timeoutMs How long an attempt waits for its answer.
 */
/**
 * @typedef {{ kind: 'answer', status: number, replayed: boolean, retryAfterMs: number | undefined, body: any }
 *   | { kind: 'time-out' } | { kind: 'connection-lost' }} Attempt
 */

const firstPauseMs = 100
const longestPauseMs = 500
const maxAttempts = 40

/**
 * Sends a stock update as a warehouse does: until an answer settles it, with pauses that grow, or as long as the
 * answer asks for. Answers every attempt.
 *
 * @param {Delivery} delivery
 */
export const deliver = async (delivery) => {
  /** @type {Attempt[]} */
  const attempts = []
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const attempt = await send(delivery)
    attempts.push(attempt)
    if (isSettled(attempt) || attempts.length === maxAttempts) return attempts
    const asked = attempt.kind === 'answer' ? attempt.retryAfterMs : undefined
    // Not the same for all: senders that were cut off together would come back together.
    await setTimeout(asked ?? pauseMs * (0.5 + Math.random() / 2))
  }
}

/** @type {(delivery: Delivery) => Promise<Attempt>} */
const send = async ({ url, key, update, timeoutMs }) => {
  try {
    const response = await fetch(`${url}/adjustments`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer north-warehouse',
        'content-type': 'application/json',
        'idempotency-key': `"${key}"`,
      },
      body: JSON.stringify(update),
      signal: AbortSignal.timeout(timeoutMs),
    })
    const retryAfter = response.headers.get('retry-after')
    return {
      kind: 'answer',
      status: response.status,
      replayed: response.headers.get('idempotent-replayed') === 'true',
      retryAfterMs: retryAfter === null ? undefined : Number(retryAfter) * 1_000,
      body: await response.json(),
    }
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === 'TimeoutError'
    return { kind: isTimeout ? 'time-out' : 'connection-lost' }
  }
}

/** Without an answer, while another attempt is running, and when the server failed, it is not known what happened. */
/** @param {Attempt} attempt */
const isSettled = (attempt) =>
  attempt.kind === 'answer' && attempt.status !== 409 && attempt.status < 500
