import { isAbsolute } from 'node:path'
import { installByApt, mayInstall } from './apt.mjs'
import { findProgram, isProgram, programFolders } from './find-program.mjs'

const names = ['redis-server', 'valkey-server']

/**
 * The path of the Redis server's program: what `REDIS_SERVER` names, else redis-server or valkey-server.
 * Undefined where there is none; an error where `REDIS_SERVER` names what is not there.
 */
export const findRedisServer = ({ REDIS_SERVER, PATH = '' } = process.env) => {
  const folders = programFolders(PATH)
  const inFolders = (name) => findProgram(name, folders)
  if (!REDIS_SERVER) return inFolders(names[0]) ?? inFolders(names[1])
  const named = isAbsolute(REDIS_SERVER) ? REDIS_SERVER : inFolders(REDIS_SERVER)
  if (named && isProgram(named)) return named
  throw new Error(`REDIS_SERVER is ${REDIS_SERVER}, and there is no such program.`)
}

/**
 * The path of the Redis server's program, installed where there is none and that can be done without asking anybody:
 * by root, with apt-get. Undefined where there is none then.
 */
export const bringRedisServer = async () => {
  const found = findRedisServer()
  if (found || !mayInstall()) return found
  return (await installByApt('Redis server', 'redis-server', 'about 10 s'))
    ? findRedisServer()
    : undefined
}

const howToGetIt =
  'To have it: apt-get install redis-server, brew install redis, or REDIS_SERVER=/path/to/redis-server.'

/** Brings the server for the tests. Without one it warns of what is not tested, and in CI it fails. */
export const bringRedisForTests = async () => {
  if (await bringRedisServer()) return
  if (process.env.REDIS_URL) {
    console.error(
      'WARNING: there is no Redis server to start here. Tests that only need one to talk to use REDIS_URL;\n' +
        `those that kill servers, and those of Cluster and Sentinel, are SKIPPED.\n${howToGetIt}\n`,
    )
    return
  }
  const missing = 'Neither redis-server nor valkey-server is here, nor could one be installed.'
  if (process.env.CI)
    throw new Error(`${missing} In CI no test may be skipped for that.\n${howToGetIt}`)
  console.error(`WARNING: ${missing}\nThe tests of Redis are SKIPPED.\n${howToGetIt}\n`)
}
