import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { environment } from './environment.js'
import { owner } from './owner.js'

const run = promisify(execFile)

const cache = fileURLToPath(new URL('../../../../node_modules/.cache/retrysafe', import.meta.url))
const options = ['-U', 'postgres', '-A', 'trust', '--no-sync', '--locale=C', '-E', 'UTF8']

/** Makes an empty data folder. initdb takes a second, a copy of what it has made once a tenth of that. */
export const makeDataFolder = async (programs: string, folder: string): Promise<void> => {
  const { stdout: version } = await run(join(programs, 'postgres'), ['--version'], {
    env: environment,
  })
  const made = createHash('sha256').update(JSON.stringify([version, options, owner]))
  const template = join(cache, `postgres-${made.digest('hex').slice(0, 16)}`)
  if (existsSync(template)) return copy(template, folder)
  await run(join(programs, 'initdb'), ['-D', folder, ...options], {
    ...owner,
    cwd: '/',
    env: environment,
  })
  await keep(folder, template)
}

/** Puts a copy in the template's place, which has all of it from the moment that it is there. */
const keep = async (folder: string, template: string): Promise<void> => {
  let own: string | undefined
  try {
    mkdirSync(cache, { recursive: true })
    own = mkdtempSync(`${template}-`)
    await copy(folder, join(own, 'data'))
    renameSync(join(own, 'data'), template)
  } catch {
    // Another test file was first, or the cache is somebody else's.
  } finally {
    if (own) rmSync(own, { recursive: true, force: true })
  }
}

// With the owner and the rights, on which Postgres insists.
const copy = async (from: string, to: string): Promise<void> => {
  await run('cp', ['-Rp', from, to], { env: environment })
}
