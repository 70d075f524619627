import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { run } from './process.mjs'

const names = ['redis-server', 'valkey-server']
// A test may run with a bare PATH.
const usualFolders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin']

const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * The path of the Redis server's program: what `REDIS_SERVER` names, else redis-server or valkey-server.
 * Undefined where there is none; an error where `REDIS_SERVER` names what is not there.
 */
export const findRedisServer = ({ REDIS_SERVER, PATH = '' } = process.env) => {
  const folders = [...PATH.split(delimiter).filter(isAbsolute), ...usualFolders]
  const inFolders = (name) => folders.map((folder) => join(folder, name)).find(isProgram)
  if (!REDIS_SERVER) return inFolders(names[0]) ?? inFolders(names[1])
  const named = isAbsolute(REDIS_SERVER) ? REDIS_SERVER : inFolders(REDIS_SERVER)
  if (named && isProgram(named)) return named
  throw new Error(`REDIS_SERVER is ${REDIS_SERVER}, and there is no such program.`)
}

const aptGet = '/usr/bin/apt-get'
const mayInstall = () => process.getuid?.() === 0 && existsSync(aptGet)

/** Answers whether apt-get could do it. */
const installByApt = async () => {
  console.log(
    'There is no Redis server here: apt-get installs the package redis-server, about 10 s.',
  )
  const options = {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    capture: true,
    timeoutMs: 3 * 60_000,
  }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
  ]) {
    const { code, all } = await run(aptGet, args, options)
    if (code === 0) continue
    const last = all.trimEnd().split('\n').slice(-12).join('\n')
    console.error(`\n${last}\napt-get ${args[0]} failed with exit code ${code}.`)
    return false
  }
  return true
}

/**
 * The path of the Redis server's program, installed where there is none and that can be done without asking anybody:
 * by root, with apt-get. Undefined where there is none then. What apt-get may start as a service is used by nobody.
 */
export const bringRedisServer = async () => {
  const found = findRedisServer()
  if (found || !mayInstall()) return found
  return (await installByApt()) ? findRedisServer() : undefined
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
