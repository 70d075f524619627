// @ts-check
// The case that this library is for, with real processes: servers, senders, and a network that loses answers. Every
// figure that it prints is checked; it exits 0 only if each is the right one.
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAll } from './child.mjs'
import { startRedis } from './redis.mjs'
import { createReport } from './report.mjs'
import { scenes } from './scenes.mjs'
import { openSide } from './side.mjs'
import { choose, targets } from './targets.mjs'

const choice = choose(process.argv.slice(2), process.env.STORE)
if ('refusal' in choice) {
  console.error(choice.refusal)
  process.exit(2)
}
const { target, store } = choice
const { REDIS_URL } = process.env

/** @param {Error} error */
const giveUp = (error) => {
  console.error(error.message)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'inventory-'))
process.once('exit', () => {
  killAll()
  // Windows lets go of the files of a killed process a little later.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
})
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => process.exit(128 + constants.signals[signal]))

const startedAt = performance.now()
const redis = store === 'redis' && !REDIS_URL ? await startRedis(folder).catch(giveUp) : undefined
const redisUrl = redis?.url ?? REDIS_URL
const hasColours = process.stdout.isTTY === true && !process.env.NO_COLOR
const report = createReport(console.log, hasColours)

console.log(`A warehouse system sends stock updates to an API and sends them again when it hears nothing.
The same API runs twice, each in a process and on a file of its own: with retrysafe on ${targets[target].title}, and without.
At first there are A-100 = 100, B-200 = 50 and C-300 = 1,000,000.`)
if (store === 'memory') {
  console.log(`Its keys are in memory, so a server that is killed forgets them: the retry runs again, finds the adjustment that
was made, and answers with that.`)
}
if (store === 'redis') {
  const where = redis ? `one that was started for it, ${redis.url}` : 'that of REDIS_URL'
  console.log(`Its keys are on a Redis server (${where}), its stock is not: the two are not committed
together. A server that is killed leaves its key in flight. When the lease is over the retry runs again, under the
derived key of the first attempt: it makes the adjustment, or finds it made and answers with that.`)
}
console.log()
const opensAt = performance.now()
const without = await openSide('without', folder)
// How long a start takes here. However slow the machine: a sender that gives up has given the server its time, and a
// server that was killed is there again before its lease is over.
const startMs = Math.ceil(performance.now() - opensAt)
const patienceMs = Math.max(1_000, startMs)
const leaseMs = Math.max(2_000, 5 * startMs)
const sides = [await openSide('with', folder, { target, store, redisUrl, leaseMs }), without]

report.begin()
for (const scene of scenes(store)) {
  const values = await Promise.all(sides.map((side) => scene.play(side, patienceMs)))
  report.scene(scene, values)
}
await Promise.all(sides.map((side) => side.close()))
await redis?.stop()

const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
if (report.wrong.length === 0) console.log(`\nEvery figure is as expected. ${seconds} s`)
else {
  console.log(`\nNot as expected, after ${seconds} s:`)
  for (const line of report.wrong) console.log(`  ${line}`)
  process.exitCode = 1
}
