import type { StoreNotice } from '@retrysafe/core'

type Listener = (notice: StoreNotice) => void

/** What the store has to tell, and to whom. */
export interface Notices {
  tell(notice: StoreNotice): void
  watch(listener: Listener): () => void
  clear(): void
}

/**
 * Listeners hear a notice after the call that caused it has done its work, and one that throws changes nothing.
 * `standing` is told to every listener, whenever it comes: what is wrong with the set-up was wrong before it.
 */
export const notices = (standing: StoreNotice | undefined): Notices => {
  const listeners = new Set<{ readonly listener: Listener }>()

  const hear = (entry: { readonly listener: Listener }, notice: StoreNotice): void =>
    queueMicrotask(() => {
      if (!listeners.has(entry)) return
      try {
        entry.listener(notice)
      } catch {
        // An operator's fault is no reason to fail a request.
      }
    })

  return {
    tell: (notice) => {
      for (const entry of listeners) hear(entry, notice)
    },
    watch: (listener) => {
      // An entry of its own: one function that watches twice ends twice.
      const entry = { listener }
      listeners.add(entry)
      if (standing) hear(entry, standing)
      return () => {
        listeners.delete(entry)
      }
    },
    clear: () => listeners.clear(),
  }
}
