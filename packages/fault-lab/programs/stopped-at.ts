import { writeSync } from 'node:fs'
import type { Execution } from '@retrysafe/core'

/** Where a process stops itself. The key that names the place is the one that stops it there. */
export type Stop = 'before-the-transaction' | 'in-the-work'

// Nothing is left running by a test that is gone.
process.once('disconnect', () => process.exit())

/** Stops the process, as SIGSTOP does, in the first attempt of the key that names the place; says so before. */
export const stopAt = (place: Stop, { key, attempt }: Execution): void => {
  if (key !== place || attempt > 1) return
  writeSync(process.stdout.fd, place)
  process.kill(process.pid, 'SIGSTOP')
}
