import { writeSync } from 'node:fs'
import type { Point } from '../src/kill-point.js'

/** What a shop process is told: to kill itself at the point, after it has come by there so often. */
export interface Order {
  readonly point: Point
  readonly passes: number
}

let order: Order | undefined
let passes = 0

process.on('message', (given: Order) => {
  order = given
  passes = given.passes
})
// Nothing is left running by a loop that is gone.
process.once('disconnect', () => process.exit())

/** Kills the process if this is the point that it was told, and says so before: the loop counts no other death. */
export const reach = (point: Point): void => {
  if (order?.point !== point || passes-- > 0) return
  writeSync(process.stdout.fd, point)
  process.kill(process.pid, 'SIGKILL')
}
