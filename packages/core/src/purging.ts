/** Rows of one step. A hundred take 2 ms of the event loop, five hundred 15. */
export const purgeStep = 100

/** Between two steps while there is more, in milliseconds: requests come first. */
const nextStepMs = 50

/** A longer time-out fires at once: Node keeps it in 32 bits. */
const longestTimerMs = 2 ** 31 - 1

/**
 * Removes expired records now and then, a step at a time. Keeps no process alive. A step that fails is left to the
 * next: an expired record counts as absent, and a file in trouble is told by the verbs.
 * Answers the function that ends it.
 */
export const startPurging = (
  step: (limit: number) => Promise<number>,
  everyMs: number,
): (() => void) => {
  let timer: NodeJS.Timeout | undefined
  let hasEnded = false

  const waitFor = (ms: number): void => {
    if (hasEnded) return
    timer = setTimeout(purge, Math.min(ms, longestTimerMs))
    timer.unref()
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
    clearTimeout(timer)
  }
}
