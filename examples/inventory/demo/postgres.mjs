// @ts-check
import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findPostgres } from '../../../.ci/setup/postgres.mjs'
import { startChild } from './child.mjs'
import { freePort } from './free-port.mjs'

const run = promisify(execFile)
const env = { LC_ALL: 'C' }

/**
 * Starts a Postgres server in a folder of its own; there when it takes connections.
 *
 * @param {string} parent Where its folder is made.
 */
export const startPostgres = async (parent) => {
  const programs = findPostgres()
  if (!programs) {
    throw new Error(`There is no Postgres server here.
To have one: apt-get install postgresql, brew install postgresql, or DATABASE_URL=postgres://... of one that runs.`)
  }
  const folder = join(parent, 'postgres')
  mkdirSync(folder)
  const owner = ownerFor(folder)
  const data = join(folder, 'data')
  const options = ['-U', 'postgres', '-A', 'trust', '--no-sync', '--locale=C', '-E', 'UTF8']
  await run(join(programs, 'initdb'), ['-D', data, ...options], {
    ...owner,
    cwd: folder,
    env: { ...process.env, ...env },
  })

  // A port that was free a moment ago may have been taken since.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const program = join(programs, 'postgres')
    const { log, findLine, kill, stop } = startChild(program, argsOf({ port, data }), {
      env,
      owner,
      logsTo: 'stderr',
      // Whoever is connected is cut off; and at the worst it takes its own processes and memory with it.
      stopsOn: 'SIGINT',
      diesOn: 'SIGQUIT',
    })
    if (await findLine(/ready to accept connections/, 30_000)) {
      return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop }
    }
    await kill()
    if (attempt === 5) throw new Error(`${program} does not start:\n${log.slice(-5).join('\n')}`)
  }
}

/** Whom it runs as, to whom the folder is given: root it refuses. */
/** @param {string} folder */
const ownerFor = (folder) => {
  if (process.getuid?.() !== 0) return {}
  const idOf = (/** @type {'-u' | '-g'} */ which) =>
    Number(execFileSync('id', [which, 'nobody'], { encoding: 'utf8' }))
  const owner = { uid: idOf('-u'), gid: idOf('-g') }
  chmodSync(dirname(folder), 0o711)
  chownSync(folder, owner.uid, owner.gid)
  return owner
}

/** @param {{ port: number, data: string }} own */
const argsOf = ({ port, data }) => {
  const config = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '' }
  return [
    '-D',
    data,
    ...Object.entries(config).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}
