import { timer } from './deadline.js'

/** Records of one step. In SQLite a hundred take 2 ms of the event loop, five hundred 15. */
const purgeStep = 100

/** Between two steps while there is more, in milliseconds: requests come first. */
const nextStepMs = 50

/**
 * For stores that do not forget by themselves: removes expired records now and then, a step at a time. Keeps no process
 * alive. A step that fails is left to the next: an expired record counts as absent, and a store in trouble is told by
 * the verbs. Answers the function that ends it.
 */
export const startPurging = (
  step: (limit: number) => Promise<number>,
  everyMs: number,
): (() => void) => {
  let next: { stop(): void } | undefined
  let hasEnded = false

  const waitFor = (ms: number): void => {
    if (!hasEnded) next = timer(ms, purge)
  }
  const purge = (): void => {
    step(purgeStep).then(
      (removed) => waitFor(removed === purgeStep ? Math.min(nextStepMs, everyMs) : everyMs),
      () => waitFor(everyMs),
    )
  }

  waitFor(everyMs)
  return () => {
    hasEnded = true
    next?.stop()
  }
}

/** As many as are asked for, in such steps; `step` answers how many it has removed. */
export const purgeInSteps = async (
  step: (limit: number) => Promise<number>,
  limit: number,
): Promise<number> => {
  let removed = 0
  while (removed < limit) {
    const wanted = Math.min(purgeStep, limit - removed)
    const count = await step(wanted)
    removed += count
    if (count < wanted) break
  }
  return removed
}
