// Runs the tests under the other Node.js versions, each brought as the npm package `node`:
// `npm run test:matrix` for all, `npm run test:matrix -- 24` for one; what begins with a dash goes to vitest.
// `npm test` tests the one at hand.
import { nodeExecutable, remember } from './setup/from-npm.mjs'
import { bringPostgresForTests } from './setup/postgres.mjs'
import { bringRedisForTests } from './setup/redis.mjs'
import { runTests } from './setup/tasks.mjs'
import { build, install } from './setup/workspace.mjs'

// Node.js 20 is not here: it needs a driver compiled by itself, which `npm test` makes where it is run.
const versions = ['22.23.3', '24.21.0', '26.10.0']

const given = process.argv.slice(2)
const wanted = given.filter((argument) => !argument.startsWith('-'))
const options = given.filter((argument) => argument.startsWith('-'))
const chosen = versions.filter(
  (version) => wanted.length === 0 || wanted.includes(version.split('.')[0]),
)
if (chosen.length === 0) {
  console.error(`None of ${wanted.join(', ')} is among ${versions.join(', ')}.`)
  process.exit(1)
}

console.log('Setting up the packages and the build: about 40 s in a fresh clone.')
await install()
await build()
await Promise.all([bringRedisForTests(), bringPostgresForTests()])

const results = []
for (const version of chosen) {
  console.log(`\nNode.js ${version}, about 10 s to bring it`)
  const execPath = await nodeExecutable(version)
  remember()
  results.push({ version, code: (await runTests(options, execPath)).code })
}
console.log()
for (const { version, code } of results)
  console.log(`Node.js ${version}: ${code === 0 ? 'passed' : `FAILED (exit code ${code})`}`)
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0
