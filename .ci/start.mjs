// Behind `npm run demo`, `npm test`, `npm run points`, `npm run kills`, `npm run model` and `npm run check`: sets up
// whatever they need on a machine that has Node.js and npm, then runs them. Any Node.js parses this file, so that an old
// one hears why it is refused.
const major = Number(process.versions.node.split('.')[0])
if (major < 20) {
  console.error(`retrysafe needs Node.js 20 or later; this is ${process.versions.node}.`)
  process.exit(1)
}

const [name = '', ...args] = process.argv.slice(2)
const { tasks } = await import('./setup/tasks.mjs')
const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined
if (!task) {
  console.error(`Usage: node .ci/start.mjs ${Object.keys(tasks).join(' | ')}`)
  process.exit(1)
}
try {
  process.exitCode = await task(args)
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`)
  process.exitCode = error?.exitCode ?? 1
}
