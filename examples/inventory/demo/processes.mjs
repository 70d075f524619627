// @ts-check
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startChild } from './child.mjs'
import { targets } from './targets.mjs'

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/**
 * Starts a server on a free port; there when it listens.
 *
 * @param {object} how
 * @param {'with' | 'without'} [how.layer]
 * @param {import('./targets.mjs').Target} [how.target] The framework of the one with the layer.
 * @param {import('./targets.mjs').Store} [how.store]
 * @param {string | undefined} [how.redisUrl]
 * @param {string | undefined} [how.databaseUrl]
 * @param {string} how.database
 * @param {number} [how.leaseMs]
 * @param {number} [how.workMs]
 */
export const startServer = async ({
  layer = 'with',
  target = 'express',
  store = 'sqlite',
  redisUrl,
  databaseUrl,
  database,
  leaseMs,
  workMs = 0,
}) => {
  const program = here(
    layer === 'with' ? `../../../${targets[target].folder}/src/server.mjs` : './naive-server.mjs',
  )
  const { child, log, findLine, ended, kill, stop } = startChild(
    process.execPath,
    [`--import=${new URL('./die-at.mjs', import.meta.url)}`, program],
    {
      talks: true,
      env: {
        PORT: '0',
        DATABASE: database,
        STORE: store,
        ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
        ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
        LEASE_MS: leaseMs === undefined ? '' : String(leaseMs),
        WORK_MS: String(workMs),
      },
    },
  )

  const listening = await findLine(/listens on .*:(\d+)$/, 30_000)
  if (!listening) throw new Error(`${program} does not listen; it ended with ${await kill()}.`)
  const port = Number(listening[1])

  return {
    port,
    url: `http://127.0.0.1:${port}`,
    log,
    findLine,
    ended,
    /** Has it killed at a point of its next adjustment. */
    dieAt: (/** @type {import('./die-at.mjs').Point} */ point) => child.send(point),
    kill,
    stop,
  }
}

/** Starts a sender, which delivers updates as long as it runs. */
export const startSender = () => {
  const { child, ended, stop } = startChild(process.execPath, [here('./sender.mjs')], {
    talks: true,
  })
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
    stop,
  }
}
