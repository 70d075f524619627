// @ts-check

/**
 * One row of a scene: what is printed for both sides must be what is expected of them. Where `right` is given, a
 * side that shows anything else has its books wrong.
 *
 * @typedef {{ label: string, expected: readonly [withLayer: string, without: string], right?: string }} Row
 */
/**
 * @typedef {object} Scene
 * @property {string} title
 * @property {readonly Row[]} rows
 * @property {(side: import('./side.mjs').Side, patienceMs: number) => Promise<string[]>} play Answers the value of each row.
 */

/** Where every answer arrives, a sender has the time to wait for it. */
const longMs = 30_000

/** @type {(withLayer: string, without: string) => Row} */
const heard = (withLayer, without) => ({
  label: 'what the sender heard',
  expected: [withLayer, without],
})
/** @type {(label: string, right: number, without: number) => Row} */
const figure = (label, right, without) => ({
  label: `${label}, right is ${number(right)}`,
  expected: [number(right), number(without)],
  right: number(right),
})
/** @param {number} value */
const number = (value) => value.toLocaleString('en-US')

/** @param {import('./deliver.mjs').Attempt} attempt */
const nameOf = (attempt) => {
  if (attempt.kind === 'time-out') return 'nothing'
  if (attempt.kind === 'connection-lost') return 'cut off'
  const problem = attempt.status === 422 ? ` ${attempt.body.code ?? ''}` : ''
  return `${attempt.status}${problem}${attempt.replayed ? ' replayed' : ''}`
}
/** What one sender heard, in order. How often it was turned away the same way depends on the moment. */
const story = (/** @type {import('./deliver.mjs').Attempt[]} */ attempts) =>
  attempts
    .map(nameOf)
    .filter((name, index, all) => name !== all[index - 1])
    .join(', ')

/** What many heard in the end, and how many of them. */
const tally = (/** @type {import('./deliver.mjs').Attempt[][]} */ deliveries) => {
  const last = deliveries.map((attempts) => nameOf(/** @type {any} */ (attempts.at(-1))))
  return [...new Set(last)]
    .sort()
    .map((name) => `${last.filter((other) => other === name).length} x ${name}`)
    .join(', ')
}

/** @type {(side: import('./side.mjs').Side, sku: string, work: () => Promise<string[]>) => Promise<string[]>} */
const withBooks = async (side, sku, work) => {
  const before = await side.adjustments()
  const values = await work()
  const made = (await side.adjustments()) - before
  return [...values, number(made), number(await side.onHand(sku))]
}

/** @type {(side: import('./side.mjs').Side, key: string, sku: string, delta: number, timeoutMs?: number) => Promise<string>} */
const deliverOne = async (side, key, sku, delta, timeoutMs = longMs) =>
  (await side.send([{ key, update: { sku, delta }, timeoutMs }])).map(story).join()

/** @param {string} withLayer */
const takenOverBy = (withLayer) => ({
  label: 'taken over by',
  expected: /** @type {const} */ ([withLayer, 'none']),
})

/**
 * A server dies when the adjustment stands. Where its record is on Redis, that is the moment before Redis knows: the
 * next attempt has to find out.
 *
 * @type {(store: import('./targets.mjs').Store) => Scene}
 */
const killedAfterCommit = (store) => {
  const isApart = store === 'redis'
  const told = {
    sqlite: 'cut off, 201 replayed',
    postgres: 'cut off, 201 replayed',
    memory: 'cut off, 201',
    redis: 'cut off, 409, 201',
  }
  return {
    title: `C-300 -1,000. It is killed after the COMMIT, but before ${
      isApart ? 'Redis hears that it is done' : 'the answer has left'
    }`,
    rows: [
      heard(told[store], 'cut off, 201'),
      ...(isApart ? [takenOverBy('attempt 2')] : []),
      figure('adjustments', 1, 2),
      figure('C-300 on hand', 998_000, 997_000),
    ],
    play: (side) =>
      withBooks(side, 'C-300', async () => {
        const point = isApart ? 'before-record' : 'before-answer'
        const deliver = () => deliverOne(side, 'after-commit', 'C-300', -1_000)
        const story = await side.killedAt(point, deliver)
        return isApart ? [story, await side.takeover()] : [story]
      }),
  }
}

/**
 * The case. What a server that is killed leaves to the next one depends on where its keys are; in memory they are gone.
 *
 * @type {(store: import('./targets.mjs').Store) => readonly Scene[]}
 */
export const scenes = (store) => [
  {
    title: 'A-100 -5. The answer is lost; the sender hears nothing and sends it again',
    rows: [
      heard('nothing, 201 replayed', 'nothing, 201'),
      figure('adjustments', 1, 2),
      figure('A-100 on hand', 95, 90),
    ],
    play: (side, patienceMs) =>
      withBooks(side, 'A-100', async () => {
        side.network.loseNextAnswer()
        return [await deliverOne(side, 'first', 'A-100', -5, patienceMs)]
      }),
  },
  {
    title: 'B-200 -1. Fifty requests with one key, all at the same instant',
    rows: [
      heard('1 x 201, 49 x 201 replayed', '50 x 201'),
      figure('adjustments', 1, 50),
      figure('B-200 on hand', 49, 0),
    ],
    play: (side) =>
      withBooks(side, 'B-200', async () => {
        const delivery = { key: 'fifty', update: { sku: 'B-200', delta: -1 }, timeoutMs: longMs }
        return [tally(await side.send(Array.from({ length: 50 }, () => delivery)))]
      }),
  },
  {
    title: 'A-100 -50. By mistake under the key of the first update, which was A-100 -5',
    rows: [
      heard('422 key-reused', '201'),
      figure('adjustments', 0, 1),
      figure('A-100 on hand', 95, 40),
    ],
    play: (side) =>
      withBooks(side, 'A-100', async () => [await deliverOne(side, 'first', 'A-100', -50)]),
  },
  {
    title: 'C-300 -1,000. The server is killed before the COMMIT, and started again',
    rows: [
      heard(store === 'memory' ? 'cut off, 201' : 'cut off, 409, 201', 'cut off, 201'),
      takenOverBy(store === 'memory' ? 'none' : 'attempt 2'),
      figure('adjustments', 1, 1),
      figure('C-300 on hand', 999_000, 999_000),
    ],
    play: (side) =>
      withBooks(side, 'C-300', async () => {
        const deliver = () => deliverOne(side, 'before-commit', 'C-300', -1_000)
        return [await side.killedAt('before-commit', deliver), await side.takeover()]
      }),
  },
  killedAfterCommit(store),
  {
    title: 'Z-999 -1. There is no such article; the sender asks twice',
    rows: [heard('404, 404 replayed', '404, 404'), figure('adjustments', 0, 0)],
    async play(side) {
      const before = await side.adjustments()
      const first = await deliverOne(side, 'unknown', 'Z-999', -1)
      const second = await deliverOne(side, 'unknown', 'Z-999', -1)
      return [`${first}, ${second}`, number((await side.adjustments()) - before)]
    },
  },
  {
    title: 'Stock at the end',
    rows: [figure('A-100', 95, 40), figure('B-200', 49, 0), figure('C-300', 998_000, 997_000)],
    play: async (side) => {
      const onHand = await Promise.all(['A-100', 'B-200', 'C-300'].map(side.onHand))
      return onHand.map(number)
    },
  },
]
