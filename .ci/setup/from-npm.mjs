import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { quietly, root, run, windows } from './process.mjs'

// npx asks the registry at every call, even for what it has. Where it put things is remembered in the tree,
// so that a second run is quick and needs no network.
const memory = join(root, 'node_modules/.cache/retrysafe/from-npm.json')
const places = existsSync(memory) ? JSON.parse(readFileSync(memory, 'utf8')) : {}

/** Writes down what was found. Called after the installation, which makes node_modules. */
export const remember = () => {
  mkdirSync(join(memory, '..'), { recursive: true })
  writeFileSync(memory, JSON.stringify(places, null, 2))
}

/** Gets the package through npx and asks a Node.js beside it for one expression. */
const ask = async (spec, expression) => {
  const args = ['--loglevel=error', '-y', '-p', spec, '--', 'node', '-p', expression]
  return (await quietly(`npx ${spec}`, run('npx', args, { capture: true }))).trim()
}

const find = async (spec, search) => {
  if (!places[spec] || !existsSync(places[spec])) places[spec] = await search()
  return places[spec]
}

/** The directory of the workspace's own pnpm, for PATH: turbo looks for it there. */
export const pnpmDirectory = () => {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return find(packageManager, async () => {
    const directories = (await ask(packageManager, 'process.env.PATH')).split(delimiter)
    const command = windows ? 'pnpm.cmd' : 'pnpm'
    const directory = directories.find((candidate) => existsSync(join(candidate, command)))
    if (directory) return directory
    throw new Error(`npx brought ${packageManager}, but no ${command} is on its PATH.`)
  })
}

/** The executable of another Node.js, which the npm package `node` brings without a compiler. */
export const nodeExecutable = (version) =>
  find(`node@${version}`, () => ask(`node@${version}`, 'process.execPath'))
