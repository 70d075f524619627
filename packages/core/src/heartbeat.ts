import { timer } from './deadline.js'

export interface Heartbeat {
  stop(): void
}

/**
 * Beats every third of the lease, and sooner after a beat that failed, one beat at a time, until `maxRunMs` have
 * passed since the start; then `onLimit` is called once. The timers keep no process alive.
 */
export const startHeartbeat = (
  { leaseMs, maxRunMs }: { readonly leaseMs: number; readonly maxRunMs: number },
  beat: () => Promise<'beaten' | 'failed'>,
  onLimit: () => void,
): Heartbeat => {
  const startedAt = performance.now()
  let stopped = false
  let next: Heartbeat | undefined

  const schedule = (afterMs: number): void => {
    if (stopped) return
    const leftMs = maxRunMs - (performance.now() - startedAt)
    // Where the run ends before the next beat is due, there is nothing left to renew.
    next = afterMs < leftMs ? timer(afterMs, turn) : timer(Math.max(0, leftMs), end)
  }
  const turn = (): void => {
    void beat().then((result) =>
      schedule(Math.max(1, Math.floor(leaseMs / (result === 'beaten' ? 3 : 12)))),
    )
  }
  const end = (): void => {
    if (stopped) return
    // A timer may have been cut to its longest.
    if (maxRunMs > performance.now() - startedAt) {
      schedule(leaseMs / 3)
      return
    }
    stopped = true
    onLimit()
  }
  schedule(Math.max(1, Math.floor(leaseMs / 3)))
  return {
    stop() {
      stopped = true
      next?.stop()
    },
  }
}
