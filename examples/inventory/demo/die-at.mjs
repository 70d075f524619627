// @ts-check
// Loaded with --import in front of a server: kills its process at an exact point of an adjustment, when it has been
// told to, so that the application itself need not know.
import { ServerResponse } from 'node:http'
import Database from 'better-sqlite3'
import pg from 'pg'

/**
 * `before-commit`: the adjustment is written and not committed. `before-record`: it has been committed in a
 * transaction of its own, and nobody else has heard of it. `before-answer`: the first byte of its answer would leave now.
 *
 * @typedef {'before-commit' | 'before-record' | 'before-answer'} Point
 */
/** @type {Point | undefined} */
let point
process.on('message', (message) => {
  point = /** @type {Point} */ (message)
})
// Listening to messages must not keep alive a server that has been stopped, or whose demo is gone.
process.channel?.unref()
process.once('disconnect', () => process.exit())

const die = () => process.kill(process.pid, 'SIGKILL')
let hasAdjusted = false
const isInsertion = (/** @type {unknown} */ sql) =>
  typeof sql === 'string' && sql.startsWith('INSERT INTO adjustments')

const { prepare, transaction } = Database.prototype
Database.prototype.prepare = /** @type {any} */ (
  /** @this {import('better-sqlite3').Database} @param {string} source */
  function (source) {
    const statement = prepare.call(this, source)
    if (!isInsertion(source)) return statement
    const { get } = statement
    statement.get = (/** @type {any[]} */ ...parameters) => {
      const row = get.apply(statement, parameters)
      if (point === 'before-commit') die()
      hasAdjusted = point !== undefined
      return row
    }
    return statement
  }
)

Database.prototype.transaction = /** @type {any} */ (
  /** @this {import('better-sqlite3').Database} @param {(...given: any[]) => unknown} work */
  function (work) {
    const run = transaction.call(this, work)
    const immediate = (/** @type {any[]} */ ...given) => {
      const result = run.immediate(...given)
      if (point === 'before-record' && hasAdjusted) die()
      return result
    }
    return Object.assign((/** @type {any[]} */ ...given) => run(...given), { immediate })
  }
)

const { query } = pg.Client.prototype
pg.Client.prototype.query = /** @type {any} */ (
  /** @this {import('pg').Client} @param {any[]} given */
  function (...given) {
    const asked = Reflect.apply(query, this, given)
    if (!isInsertion(given[0])) return asked
    return asked.then((/** @type {unknown} */ answer) => {
      if (point === 'before-commit') die()
      hasAdjusted = point !== undefined
      return answer
    })
  }
)

// An answer that is held back until the record stands comes by here only when it leaves.
for (const name of /** @type {const} */ (['writeHead', 'write', 'end'])) {
  const leave = ServerResponse.prototype[name]
  ServerResponse.prototype[name] = /** @type {any} */ (
    /** @this {ServerResponse} @param {unknown[]} given */
    function (...given) {
      if (point === 'before-answer' && hasAdjusted) die()
      return Reflect.apply(leave, this, given)
    }
  )
}
