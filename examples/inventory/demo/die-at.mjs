// @ts-check
// Loaded with --import in front of a server: kills its process at an exact point of an adjustment, when it has been
// told to, so that the application itself need not know.
import { ServerResponse } from 'node:http'
import Database from 'better-sqlite3'

/** `before-commit`: the adjustment is written and not committed. `before-answer`: its first byte would leave now. */
let point = ''
process.on('message', (message) => {
  point = String(message)
})
// Listening to messages must not keep alive a server that has been stopped, or whose demo is gone.
process.channel?.unref()
process.once('disconnect', () => process.exit())

const die = () => process.kill(process.pid, 'SIGKILL')
let hasAdjusted = false

const { prepare } = Database.prototype
Database.prototype.prepare = /** @type {any} */ (
  /** @this {import('better-sqlite3').Database} @param {string} source */
  function (source) {
    const statement = prepare.call(this, source)
    if (!source.startsWith('INSERT INTO adjustments')) return statement
    const { get } = statement
    statement.get = (/** @type {any[]} */ ...parameters) => {
      const row = get.apply(statement, parameters)
      if (point === 'before-commit') die()
      hasAdjusted = point !== ''
      return row
    }
    return statement
  }
)

// An answer that is held back until the commit comes by here only when it leaves.
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
