/** Who waits in this process for a record to change: what a store's `changed` is made of. */
export interface Changes {
  /** Resolves when the record has changed, or when the signal aborts. */
  wait(recordKey: string, signal: AbortSignal): Promise<void>
  tell(recordKey: string): void
  /** Lets everybody go. */
  clear(): void
}

/** Costs a write nothing but a look where nobody waits. */
export const changes = (): Changes => {
  const waiting = new Map<string, Set<() => void>>()

  return {
    wait: (recordKey, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const waiters = waiting.get(recordKey) ?? new Set()
        const leave = (): void => {
          waiters.delete(leave)
          if (waiters.size === 0 && waiting.get(recordKey) === waiters) waiting.delete(recordKey)
          signal.removeEventListener('abort', leave)
          resolve()
        }
        waiting.set(recordKey, waiters.add(leave))
        signal.addEventListener('abort', leave)
      }),
    tell: (recordKey) => {
      if (waiting.size === 0) return
      for (const leave of waiting.get(recordKey) ?? []) leave()
    },
    clear: () => {
      for (const waiters of waiting.values()) for (const leave of waiters) leave()
    },
  }
}
