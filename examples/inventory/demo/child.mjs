// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'

/** @type {Map<import('node:child_process').ChildProcess, () => Promise<unknown>>} */
const running = new Map()

/** Ends whatever is still running, by its process id, within the call. Resolves when it is gone. */
export const killAll = () => Promise.allSettled([...running.values()].map((kill) => kill()))

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [how]
 * @param {Record<string, string>} [how.env]
 * @param {boolean} [how.talks] Whether messages go to it and come from it, as between processes of Node.js.
 * @param {{ uid?: number, gid?: number }} [how.owner] Whom it runs as, if not as this process.
 * @param {'stdout' | 'stderr'} [how.logsTo]
 * @param {NodeJS.Signals} [how.stopsOn] Asks it to end.
 * @param {NodeJS.Signals} [how.diesOn] Ends it at once.
 */
export const startChild = (
  command,
  args,
  {
    env = {},
    talks = false,
    owner = {},
    logsTo = 'stdout',
    stopsOn = 'SIGTERM',
    diesOn = 'SIGKILL',
  } = {},
) => {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: [
      'ignore',
      'pipe',
      logsTo === 'stderr' ? 'pipe' : 'inherit',
      ...(talks ? /** @type {const} */ (['ipc']) : []),
    ],
    ...owner,
  })
  /** The signal that ended it, or its exit code. */
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return signal ?? code
  })
  const kill = () => {
    child.kill(diesOn)
    return ended
  }
  running.set(child, kill)

  /** @type {string[]} */
  const log = []
  createInterface(/** @type {import('node:stream').Readable} */ (child[logsTo])).on(
    'line',
    (line) => log.push(line),
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
    kill,
    /** Asks it to end, and waits until it has. */
    stop: () => {
      child.kill(stopsOn)
      return ended
    },
  }
}
