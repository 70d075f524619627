import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { nodeExecutable } from './from-npm.mjs'
import { root, run } from './process.mjs'

/** The Node.js that is brought where this one cannot open SQLite without a compiled driver. */
export const broughtNode = '24.21.0'

/** Whether better-sqlite3 13, whose binaries are in its package, works here; before, it kills the process. */
export const carriesDriver = Number(process.versions.node.split('.')[0]) >= 22

const folder = () =>
  dirname(
    createRequire(join(root, 'packages/sqlite/package.json')).resolve(
      'better-sqlite3-12/package.json',
    ),
  )

// In a process of its own: a driver made for another Node.js can take the process with it.
const opens = async (driver) => {
  const script = `new (require(${JSON.stringify(driver)}))(':memory:').close()`
  return (await run(process.execPath, ['-e', script], { capture: true })).code === 0
}

/** Downloads or compiles better-sqlite3 12 for this Node.js, once. Answers whether it can be opened. */
const makeDriver = async (driver) => {
  if (await opens(driver)) return true
  const { all } = await run('npm', ['run', 'install'], {
    cwd: driver,
    capture: true,
    timeoutMs: 10 * 60_000,
  })
  const log = join(root, 'node_modules/.cache/retrysafe/better-sqlite3-12.log')
  mkdirSync(dirname(log), { recursive: true })
  writeFileSync(log, all)
  if (await opens(driver)) return true
  console.error(`\n${all.trimEnd().split('\n').slice(-12).join('\n')}\n\nAll of it is in ${log}\n`)
  return false
}

/** The Node.js that the tests run under: this one, unless no SQLite driver can be had for it. */
export const nodeForTests = async () => {
  if (carriesDriver || (await makeDriver(folder()))) return process.execPath
  console.error(
    `WARNING: the SQLite driver for Node.js ${process.versions.node} could be neither downloaded nor compiled ` +
      `(above).\nThe tests run under Node.js ${broughtNode} instead; NOTHING is tested under ${process.versions.node}.\n`,
  )
  return nodeExecutable(broughtNode)
}

/** The Node.js that the demo runs under: the one that needs no compiler. */
export const nodeForDemo = async () =>
  carriesDriver ? process.execPath : nodeExecutable(broughtNode)
