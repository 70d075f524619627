import assert from 'node:assert/strict'
import type { ClientAnswer } from './client.js'
import type { Shop } from './shop.js'

/** The beginning of a body, for the message of an assertion that fails. */
const shown = ({ body }: ClientAnswer): string => body.toString('utf8', 0, 200)

/** An answer from a run of the handler: its status, and not marked as a replay. */
export const isFirst = (answer: ClientAnswer, status = 201): void => {
  assert.equal(answer.status, status, shown(answer))
  assert(answer.isWhole, 'the answer broke off')
  assert.equal(answer.header('Idempotent-Replayed'), undefined, 'a first answer is no replay')
}

/** The same status and bytes as the first time, marked. */
export const isReplay = (answer: ClientAnswer, first: ClientAnswer): void => {
  assert.equal(answer.status, first.status, shown(answer))
  assert(answer.isWhole, 'the replay broke off')
  assert.equal(answer.header('Idempotent-Replayed'), 'true', 'a replay is marked')
  assert(answer.body.equals(first.body), `other bytes: ${shown(answer)}`)
}

/** An answer of the layer's own. */
export const isProblem = (answer: ClientAnswer, status: number, code: string): void => {
  assert.equal(answer.status, status, shown(answer))
  assert.equal(answer.header('Content-Type'), 'application/problem+json')
  assert.equal(answer.json().code, code)
  assert.equal(answer.header('Idempotent-Replayed'), undefined, 'a problem is no replay')
}

/** How often the handler has run. */
export const hasRun = (shop: Shop, times: number): void => {
  assert.equal(shop.runs.length, times, `the handler ran ${shop.runs.length} times`)
}

/** The state of the one record of a shop. */
export const stateOf = ({ store }: Shop): string => {
  assert(store.records.size <= 1, 'more than one record')
  return [...store.records.values()][0]?.state ?? 'absent'
}
