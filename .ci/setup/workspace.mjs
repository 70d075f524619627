import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pnpmDirectory, remember } from './from-npm.mjs'
import { node, quietly, root, run } from './process.mjs'

/** Brings pnpm and, with it, exactly what the lockfile says. Ends at once where that stands already. */
export const install = async () => {
  const path = [await pnpmDirectory()]
  const args = ['install', '--frozen-lockfile']
  await quietly('pnpm install', run('pnpm', args, { path, capture: true }))
  remember()
}

/** Runs tasks of turbo.json, which builds again only what has changed. */
export const turbo = async (args, options = {}) =>
  node('node_modules/turbo/bin/turbo', ['run', ...args], {
    path: [await pnpmDirectory()],
    env: { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
    ...options,
  })

/** Builds every package, with declarations. */
export const build = async () => quietly('The build', turbo(['build'], { capture: true }))

/**
 * Builds only the JavaScript of the packages that an example depends on: declarations are most of a build's
 * time, and nobody who runs the example waits for them.
 */
export const buildFor = async (example) => {
  const { dependencies } = JSON.parse(readFileSync(join(root, example, 'package.json'), 'utf8'))
  const own = Object.keys(dependencies).filter((name) => name.startsWith('@retrysafe/'))
  const args = ['build:js', ...own.map((name) => `--filter=${name}`)]
  await quietly('The build', turbo(args, { capture: true }))
}

/** Builds a package and what it depends on. */
export const buildOne = async (name) =>
  quietly('The build', turbo(['build', `--filter=@retrysafe/${name}`], { capture: true }))
