// @ts-check
// The case that this library is for, with real processes: servers, senders, and a network that loses answers. Every
// figure that it prints is checked; it exits 0 only if each is the right one.
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { killAll } from './child.mjs'
import { openPlace } from './place.mjs'
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
/** @type {import('./place.mjs').Place | undefined} */
let place
/** @type {Promise<unknown> | undefined} */
let leaving
/** Once, whoever is first: the demo that is over, or has failed, or the signal that interrupts it. */
const leave = () => {
  leaving ??= killAll().then(() => place?.forget?.())
  return leaving
}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => {
    const exit = () => process.exit(128 + constants.signals[signal])
    leave().then(exit, exit)
  })

const startedAt = performance.now()
place = await openPlace(store, folder).catch(giveUp)
const hasColours = process.stdout.isTTY === true && !process.env.NO_COLOR
const report = createReport(console.log, hasColours)

console.log(`A warehouse system sends stock updates to an API and sends them again when it hears nothing.
The same API runs twice, each in a process and ${place.home}: with retrysafe on ${targets[target].title}, and without.
At first there are A-100 = 100, B-200 = 50 and C-300 = 1,000,000.`)
if (place.told) console.log(place.told)
console.log()

try {
  const opensAt = performance.now()
  const without = await openSide('without', place, { store })
  // How long a start takes here. However slow the machine: a sender that gives up has given the server its time, and a
  // server that was killed is there again before its lease is over.
  const startMs = Math.ceil(performance.now() - opensAt)
  const patienceMs = Math.max(1_000, startMs)
  const leaseMs = Math.max(2_000, 5 * startMs)
  const sides = [await openSide('with', place, { target, store, leaseMs }), without]

  report.begin()
  for (const scene of scenes(store)) {
    const values = await Promise.all(sides.map((side) => scene.play(side, patienceMs)))
    report.scene(scene, values)
  }
  await Promise.all(sides.map((side) => side.close()))
  await place.stop?.()
} finally {
  await leave()
}

const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
if (report.wrong.length === 0) console.log(`\nEvery figure is as expected. ${seconds} s`)
else {
  console.log(`\nNot as expected, after ${seconds} s:`)
  for (const line of report.wrong) console.log(`  ${line}`)
  process.exitCode = 1
}
