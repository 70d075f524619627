/** Records that a step removes at the most, so that no request waits behind it. */
const stepLimit = 100
/** Entries that a step looks at: some of them have been prolonged, or are gone. */
const stepLooks = 400
const restMs = 1000
const backlogMs = 1

/** Purging in the background: `wake` when there is something to purge some day, `stop` for good. */
export interface PurgeTimer {
  wake(): void
  stop(): void
}

/**
 * A step a second, or a thousand a second as long as there is a backlog. The timer keeps no process alive, and
 * ends by itself when nothing is left. Its delays are its own: no duration of a record is ever a timer's.
 */
export const purgeTimer = (records: {
  readonly size: number
  purge(limit: number, looks: number): number
}): PurgeTimer => {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  const plan = (delayMs: number): void => {
    timer = setTimeout(step, delayMs).unref()
  }

  const step = (): void => {
    const isBacklog = records.purge(stepLimit, stepLooks) === stepLimit
    timer = undefined
    if (records.size > 0) plan(isBacklog ? backlogMs : restMs)
  }

  return {
    wake: () => {
      if (!timer && !isStopped) plan(restMs)
    },
    stop: () => {
      isStopped = true
      clearTimeout(timer)
      timer = undefined
    },
  }
}
