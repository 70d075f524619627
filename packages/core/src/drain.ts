import { timer } from './deadline.js'
import { processWide } from './process-wide.js'
import type { IdempotencyStore } from './store.js'

/** What runs on a store, until its ending is written. */
export interface Open {
  /** Ends timers and tries; what is not written by now stays unwritten. */
  abandon(): void
  readonly settled: Promise<void>
}

// By store, since several routes with options of their own share one, and the last to close must not cut off the rest.
const openByStore = processWide('open', () => new WeakMap<IdempotencyStore, Set<Open>>())

/** Counts as running until `settled`. */
export const trackOpen = (store: IdempotencyStore, open: Open): void => {
  const all = openByStore.get(store) ?? new Set()
  openByStore.set(store, all)
  all.add(open)
  void open.settled.then(() => all.delete(open))
}

/** Waits until nothing runs on the store, `graceMs` at most, and abandons the rest. */
export const drain = async (store: IdempotencyStore, graceMs: number): Promise<void> => {
  const all = openByStore.get(store)
  if (all === undefined) return
  let grace: { stop(): void } | undefined
  const isOver = new Promise<'over'>((resolve) => {
    grace = timer(graceMs, () => resolve('over'), { keepAlive: true })
  })
  // Again and again, since a handler may start another while this waits.
  while (all.size > 0) {
    const settled = Promise.all([...all].map((open) => open.settled))
    if ((await Promise.race([settled, isOver])) === 'over') break
  }
  grace?.stop()
  for (const open of all) open.abandon()
}
