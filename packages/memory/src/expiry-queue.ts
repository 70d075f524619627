/** A record and when it may be over. */
interface Due {
  readonly at: number
  readonly recordKey: string
}

/** Records by the time at which they may be over, the earliest first. */
export interface ExpiryQueue {
  readonly size: number
  add(recordKey: string, at: number): void
  /** Takes out the earliest record that is due by `now`. */
  takeDue(now: number): string | undefined
  /** Forgets all, and begins anew with these. */
  reset(dues: Iterable<Due>): void
}

/**
 * A binary heap. It is not told of what is removed or lives longer: whoever takes a record out of it looks
 * whether it is really over.
 */
export const expiryQueue = (): ExpiryQueue => {
  let heap: Due[] = []

  const add = (due: Due): void => {
    let index = heap.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent] as Due
      if (above.at <= due.at) break
      heap[index] = above
      index = parent
    }
    heap[index] = due
  }

  const sink = (due: Due): void => {
    const half = heap.length >> 1
    let index = 0
    while (index < half) {
      let child = 2 * index + 1
      const right = heap[child + 1]
      if (right && right.at < (heap[child] as Due).at) child++
      const below = heap[child] as Due
      if (below.at >= due.at) break
      heap[index] = below
      index = child
    }
    heap[index] = due
  }

  return {
    get size() {
      return heap.length
    },
    add: (recordKey, at) => add({ at, recordKey }),
    takeDue: (now) => {
      const first = heap[0]
      if (!first || first.at > now) return undefined
      const last = heap.pop() as Due
      if (heap.length > 0) sink(last)
      return first.recordKey
    },
    reset: (dues) => {
      heap = []
      for (const { at, recordKey } of dues) add({ at, recordKey })
    },
  }
}
