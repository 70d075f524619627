import type { StoreNotice } from './store.js'

type Listener = (notice: StoreNotice) => void

/** What a store has to tell, and to whom: what a store's `watch` is made of. */
export interface Notices {
  tell(notice: StoreNotice): void
  /** Answers the function that ends it. */
  watch(listener: Listener): () => void
  clear(): void
}

/**
 * Listeners hear a notice after the call that caused it has done its work, and one that throws changes nothing.
 * A warning is told to every listener, whenever it comes: what is wrong with the set-up was wrong before it.
 */
export const notices = (): Notices => {
  const warnings: StoreNotice[] = []
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
      if (notice.kind === 'warning') warnings.push(notice)
      for (const entry of listeners) hear(entry, notice)
    },
    watch: (listener) => {
      // An entry of its own: one function that watches twice ends twice.
      const entry = { listener }
      listeners.add(entry)
      for (const warning of warnings) hear(entry, warning)
      return () => {
        listeners.delete(entry)
      }
    },
    clear: () => listeners.clear(),
  }
}
