// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { targets } from './targets.mjs'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** Ends whatever is still running, by its process id, within the call. */
export const killAll = () => {
  for (const child of running) child.kill('SIGKILL')
}

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/**
 * @param {string[]} args
 * @param {Record<string, string>} env
 */
const startNode = (args, env = {}) => {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  running.add(child)
  /** The signal that ended it, or its exit code. */
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return signal ?? code
  })
  return { child, ended }
}

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * Starts a server on a free port; there when it listens.
 *
 * @param {object} how
 * @param {'with' | 'without'} [how.layer]
 * @param {import('./targets.mjs').Target} [how.target] The framework of the one with the layer.
 * @param {import('./targets.mjs').Store} [how.store]
 * @param {string} how.database
 * @param {number} [how.leaseMs]
 * @param {number} [how.workMs]
 */
export const startServer = async ({
  layer = 'with',
  target = 'express',
  store = 'sqlite',
  database,
  leaseMs,
  workMs = 0,
}) => {
  const program = here(
    layer === 'with' ? `../../../${targets[target].folder}/src/server.mjs` : './naive-server.mjs',
  )
  const { child, ended } = startNode(
    [`--import=${new URL('./die-at.mjs', import.meta.url)}`, program],
    {
      PORT: '0',
      DATABASE: database,
      STORE: store,
      LEASE_MS: leaseMs === undefined ? '' : String(leaseMs),
      WORK_MS: String(workMs),
    },
  )

  /** @type {string[]} */
  const log = []
  createInterface(/** @type {import('node:stream').Readable} */ (child.stdout)).on('line', (line) =>
    log.push(line),
  )
  let hasEnded = false
  ended.then(() => {
    hasEnded = true
  })
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

  const listening = await findLine(/listens on .*:(\d+)$/, 30_000)
  if (!listening) {
    child.kill('SIGKILL')
    throw new Error(`${program} does not listen; it ended with ${await ended}.`)
  }
  const port = Number(listening[1])

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    log,
    findLine,
    ended,
    /** Has it killed at a point of its next adjustment, see die-at.mjs. */
    dieAt: (/** @type {'before-commit' | 'before-answer'} */ point) => child.send(point),
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

/** Starts a sender, which delivers updates as long as it runs. */
export const startSender = () => {
  const { child, ended } = startNode([here('./sender.mjs')])
  return {
    /**
     * Delivers them all at the same instant, one after another where it is called again.
     *
     * @param {import('./deliver.mjs').Delivery[]} deliveries
     * @returns {Promise<import('./deliver.mjs').Attempt[][]>} The attempts of each.
     */
    deliver: async (deliveries) => {
      child.send(deliveries)
      const answer = once(child, 'message').then(([attempts]) => attempts)
      const end = ended.then((how) => Promise.reject(new Error(`The sender ended with ${how}.`)))
      return Promise.race([answer, end])
    },
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
  }
}
