// Before Node 22, better-sqlite3 13 kills the process: there the name stands for version 12, compiled by
// `.ci/start.mjs`. Loaded with --import by the tests and by the servers that they start.
import { register } from 'node:module'

const hook = `
export const resolve = (specifier, context, next) =>
  next(specifier === 'better-sqlite3' ? 'better-sqlite3-12' : specifier, context)
`
if (Number(process.versions.node.split('.')[0]) < 22) {
  register(`data:text/javascript,${encodeURIComponent(hook)}`)
}
