import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { choose, targets } from '../../examples/inventory/demo/targets.mjs'
import { broughtNode, carriesDriver, nodeForDemo, nodeForTests } from './driver.mjs'
import { remember } from './from-npm.mjs'
import { bringPostgres, bringPostgresForTests } from './postgres.mjs'
import { node, root } from './process.mjs'
import { bringRedisForTests, bringRedisServer } from './redis.mjs'
import { build, buildFor, buildOne, install, turbo } from './workspace.mjs'

const demo = 'examples/inventory/demo/main.mjs'

/** Says what is set up and how long that takes about, does it, and says how long it took. */
const settingUp = async (parts, about, work) => {
  const fresh = !existsSync(join(root, 'node_modules/.modules.yaml'))
  const [what, time] = fresh ? [parts.join(', '), about] : ['what has changed', 'up to 30 s']
  console.log(`Setting up ${what}: ${time}.`)
  const startedAt = performance.now()
  const result = await work()
  remember()
  console.log(`Set up in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.\n`)
  return result
}

export const runTests = (args, execPath) =>
  node('node_modules/vitest/vitest.mjs', ['run', ...args], { execPath })

/** Each answers the exit code. */
export const tasks = {
  /** The inventory case, in the way that a newcomer waits least for. */
  async demo(args) {
    const choice = choose(args, process.env.STORE)
    if ('refusal' in choice) {
      console.error(choice.refusal)
      return 2
    }
    const example = targets[choice.target].folder
    const parts = ['pnpm', 'the packages', 'the build of what the demo needs']
    if (!carriesDriver) parts.push(`Node.js ${broughtNode} for the demo, from npm`)
    // Where none can be had, the demo says so.
    const needsRedis = choice.store === 'redis' && !process.env.REDIS_URL
    const needsPostgres = choice.store === 'postgres' && !process.env.DATABASE_URL
    const execPath = await settingUp(parts, 'about 30 s', async () => {
      const [found] = await Promise.all([
        nodeForDemo(),
        install().then(() => buildFor(example)),
        needsRedis && bringRedisServer(),
        needsPostgres && bringPostgres(),
      ])
      return found
    })
    return (await node(demo, args, { execPath })).code
  },

  /** Every test, once. */
  async test(args) {
    const parts = ['pnpm', 'the packages', 'the build']
    if (!carriesDriver) parts.push('the SQLite driver of Node.js 20')
    const about = carriesDriver ? 'about 40 s' : 'about 40 s, or 2 min where the driver is compiled'
    const execPath = await settingUp(parts, about, async () => {
      await install()
      const [found] = await Promise.all([
        nodeForTests(),
        build(),
        bringRedisForTests(),
        bringPostgresForTests(),
      ])
      return found
    })
    return (await runTests(args, execPath)).code
  },

  /** Which guarantee or test stands for which point of the behaviour contract. */
  async points() {
    const parts = ['pnpm', 'the packages', 'the build of the suites']
    await settingUp(parts, 'about 30 s', () => install().then(() => buildOne('conformance')))
    return (await node('.ci/points.mjs', [])).code
  },

  /** Kills application processes by the hundred, and counts what has come of them. */
  async kills(args) {
    const parts = ['pnpm', 'the packages']
    if (!carriesDriver) parts.push('the SQLite driver of Node.js 20')
    const about = carriesDriver ? 'about 20 s' : 'about 20 s, or 2 min where the driver is compiled'
    const needsPostgres = !args.some((argument) => /^(--store=)?sqlite$/.test(argument))
    const execPath = await settingUp(parts, about, async () => {
      await install()
      const [found] = await Promise.all([nodeForTests(), needsPostgres && bringPostgres()])
      return found
    })
    return (await node('packages/fault-lab/kills.mjs', args, { execPath })).code
  },

  /** Enumerates the machine of the behaviour contract, and holds every store against it. */
  async model(args) {
    const parts = ['pnpm', 'the packages']
    if (!carriesDriver) parts.push('the SQLite driver of Node.js 20')
    const about = carriesDriver ? 'about 20 s' : 'about 20 s, or 2 min where the driver is compiled'
    const named = /--stores[= ](\S+)/.exec(args.join(' '))?.[1]
    const needs = (store) => named === undefined || named.split(',').includes(store)
    const execPath = await settingUp(parts, about, async () => {
      await install()
      const [found] = await Promise.all([
        nodeForTests(),
        needs('redis') && bringRedisServer(),
        needs('postgres') && bringPostgres(),
      ])
      return found
    })
    return (await node('packages/fault-lab/model.mjs', args, { execPath })).code
  },

  /** Everything that must hold beside the tests. */
  async check() {
    await settingUp(['pnpm', 'the packages'], 'about 20 s', install)
    // In CI nothing is believed of an earlier run.
    const force = process.env.CI ? ['--force'] : []
    const steps = [
      () => turbo(['build', 'typecheck', 'pkgcheck', '--output-logs=errors-only', ...force]),
      () => node('node_modules/typescript/bin/tsc', ['--project', '.ci']),
      () => node('node_modules/@biomejs/biome/bin/biome', ['ci', '--colors=off', '.']),
    ]
    for (const step of steps) {
      const { code } = await step()
      if (code !== 0) return code
    }
    return 0
  },
}
