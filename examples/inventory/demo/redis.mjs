// @ts-check
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findRedisServer } from '../../../.ci/setup/redis.mjs'
import { startChild } from './child.mjs'
import { freePort } from './free-port.mjs'

/**
 * Starts a Redis server that writes down what it is told, in a folder of its own; there when it answers.
 *
 * @param {string} parent Where its folder is made.
 */
export const startRedis = async (parent) => {
  const program = findRedisServer()
  if (!program) {
    throw new Error(`There is no Redis server here.
To have one: apt-get install redis-server, brew install redis, or REDIS_URL=redis://... of one that runs.`)
  }
  const folder = join(parent, 'redis')
  mkdirSync(folder)

  // A port that was free a moment ago may have been taken since.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const { log, findLine, kill, stop } = startChild(program, argsOf({ port, dir: folder }))
    if (await findLine(/Ready to accept connections/, 30_000)) {
      return { url: `redis://127.0.0.1:${port}`, stop }
    }
    await kill()
    if (attempt === 5) throw new Error(`${program} does not start:\n${log.slice(-5).join('\n')}`)
  }
}

/** @param {{ port: number, dir: string }} own */
const argsOf = ({ port, dir }) => {
  const config = { port, dir, bind: '127.0.0.1', appendonly: 'yes', save: '' }
  return Object.entries(config).flatMap(([directive, value]) => [`--${directive}`, String(value)])
}
