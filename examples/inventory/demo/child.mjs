// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** Ends whatever is still running, by its process id, within the call. */
export const killAll = () => {
  for (const child of running) child.kill('SIGKILL')
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [how]
 * @param {Record<string, string>} [how.env]
 * @param {boolean} [how.talks] Whether messages go to it and come from it, as between processes of Node.js.
 */
export const startChild = (command, args, { env = {}, talks = false } = {}) => {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', ...(talks ? /** @type {const} */ (['ipc']) : [])],
  })
  running.add(child)
  /** The signal that ended it, or its exit code. */
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return signal ?? code
  })

  /** @type {string[]} */
  const log = []
  createInterface(/** @type {import('node:stream').Readable} */ (child.stdout)).on('line', (line) =>
    log.push(line),
  )
  let hasEnded = false
  const end = () => {
    hasEnded = true
  }
  ended.then(end, end)
  /** Looks for a line that has been printed, or will be within the time. */
  const findLine = async (/** @type {RegExp} */ pattern, /** @type {number} */ withinMs) => {
    const until = performance.now() + withinMs
    for (;;) {
      const isLast = hasEnded || performance.now() >= until
      const found = log.map((line) => pattern.exec(line)).find((match) => match)
      if (found || isLast) return found
      await setTimeout(20)
    }
  }

  return {
    child,
    log,
    findLine,
    ended,
    kill: () => {
      child.kill('SIGKILL')
      return ended
    },
    /** Asks it to end, and waits until it has. */
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
