import { setTimeout as pause } from 'node:timers/promises'

/** How long the suite waits for something that is bound to happen, before it calls that a failure. */
export const patienceMs = 4_000

/** Something that others wait for until it is opened. */
export interface Gate {
  open(): void
  readonly opened: Promise<void>
}

export const gate = (): Gate => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open: () => open(), opened }
}

/** Resolves when the condition holds; rejects, naming it, when patience is over. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> => {
  const end = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`)
    await pause(2)
  }
}

/** The promise, or a rejection that names it when patience is over. */
export const within = async <T>(what: string, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patienceMs)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
