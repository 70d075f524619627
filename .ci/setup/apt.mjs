import { existsSync } from 'node:fs'
import { run } from './process.mjs'

const aptGet = '/usr/bin/apt-get'

/** Whether packages can be installed without asking anybody: by root, with apt-get. */
export const mayInstall = () => process.getuid?.() === 0 && existsSync(aptGet)

const aptGetDoes = async (args) => {
  const { code, all } = await run(aptGet, args, {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    capture: true,
    timeoutMs: 3 * 60_000,
  })
  if (code === 0) return true
  const last = all.trimEnd().split('\n').slice(-12).join('\n')
  console.error(`\n${last}\napt-get ${args.join(' ')} failed with exit code ${code}.`)
  return false
}

let update
const install = async (what, name, about) => {
  console.log(`There is no ${what} here: apt-get installs the package ${name}, ${about}.`)
  update ??= aptGetDoes(['update', '-qq'])
  if (!(await update)) return false
  return aptGetDoes(['install', '-y', '-qq', '--no-install-recommends', name])
}

// Of two apt-gets at once, one is turned away.
let last = Promise.resolve()

/** Answers whether apt-get could do it. What it may start as a service is used by nobody. */
export const installByApt = (what, name, about) => {
  const result = last.then(() => install(what, name, about))
  last = result
  return result
}
