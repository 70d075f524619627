import { LRUCache } from 'lru-cache'
import { expiryQueue } from './expiry-queue.js'
import type { HeldRecord, HeldResult } from './held-record.js'

/** What bounds the records, and who hears of one that was given up for another. */
export interface Bounds {
  readonly maxEntries: number
  readonly maxBytes: number
  readonly onStoreFull: 'refuse' | 'evict-completed'
  readonly onEvicted: (recordKey: string) => void
}

/** All records of a store, within bounds. */
export interface BoundedRecords {
  readonly size: number
  /** What stands under the key and is not over; to have asked for a result keeps it from eviction. */
  find(recordKey: string, now: number): HeldRecord | undefined
  /** The same, without a trace. */
  peek(recordKey: string, now: number): HeldRecord | undefined
  /**
   * Puts a record in the place of `before`, which `find` or `peek` answered at the same instant, and which is not
   * a result: a result never changes. Answers false, and has given up nothing, where there is no room.
   */
  put(record: HeldRecord, before: HeldRecord | undefined, now: number): boolean
  remove(record: HeldRecord): void
  /** Removes what is over, at most `limit` records, looking at most at `looks`; answers how many it removed. */
  purge(limit: number, looks: number, now: number): number
  clear(): void
}

const isExpendable = (record: HeldRecord): boolean => record.state === 'failed' && !record.inDoubt

/**
 * Results are in an lru-cache, since only they are given up in the order of their use; leases and failures are
 * in a Map, which forgets nothing. Room is made before anything is put: the cache never has to evict on its own,
 * which it would do without a word.
 */
export const boundedRecords = (bounds: Bounds): BoundedRecords => {
  const { maxEntries, maxBytes, onStoreFull, onEvicted } = bounds
  const open = new Map<string, HeldRecord>()
  const results = new LRUCache<string, HeldResult>({ max: maxEntries })
  // Failed and not in doubt, the oldest failure first.
  const expendable = new Map<string, HeldRecord>()
  const queue = expiryQueue()
  let bytes = 0
  let resultBytes = 0
  let expendableBytes = 0

  const size = (): number => open.size + results.size

  const remove = (record: HeldRecord): void => {
    const { recordKey } = record
    bytes -= record.bytes
    if (record.state === 'completed') {
      results.delete(recordKey)
      resultBytes -= record.bytes
      return
    }
    open.delete(recordKey)
    if (expendable.delete(recordKey)) expendableBytes -= record.bytes
  }

  const add = (record: HeldRecord): void => {
    const { recordKey } = record
    bytes += record.bytes
    if (record.state === 'completed') {
      results.set(recordKey, record)
      resultBytes += record.bytes
      return
    }
    open.set(recordKey, record)
    if (!isExpendable(record)) return
    expendable.set(recordKey, record)
    expendableBytes += record.bytes
  }

  const unlessOver = (record: HeldRecord | undefined, now: number): HeldRecord | undefined => {
    if (!record || now < record.endsAt) return record
    remove(record)
    return undefined
  }

  const purge = (limit: number, looks: number, now: number): number => {
    let removed = 0
    for (let look = 0; look < looks && removed < limit; look++) {
      const recordKey = queue.takeDue(now)
      if (recordKey === undefined) break
      const record = open.get(recordKey) ?? results.peek(recordKey)
      if (!record) continue
      if (now < record.endsAt) {
        queue.add(recordKey, record.endsAt)
        continue
      }
      remove(record)
      removed++
    }
    return removed
  }

  const fits = (moreBytes: number, moreEntries: number): boolean =>
    bytes + moreBytes <= maxBytes && size() + moreEntries <= maxEntries

  /** Answers whether there is room, and gives up nothing where what may be given up would not be enough. */
  const makeRoom = (moreBytes: number, moreEntries: number, keep: string, now: number): boolean => {
    while (!fits(moreBytes, moreEntries) && purge(1, Number.POSITIVE_INFINITY, now) > 0);
    if (fits(moreBytes, moreEntries)) return true

    const isEvicting = onStoreFull === 'evict-completed'
    const kept = expendable.get(keep)
    const sparedBytes = expendableBytes - (kept?.bytes ?? 0) + (isEvicting ? resultBytes : 0)
    const spared = expendable.size - (kept ? 1 : 0) + (isEvicting ? results.size : 0)
    if (!fits(moreBytes - sparedBytes, moreEntries - spared)) return false

    for (const [recordKey, record] of expendable) {
      if (fits(moreBytes, moreEntries)) return true
      if (recordKey !== keep) remove(record)
    }
    while (!fits(moreBytes, moreEntries)) {
      const oldest = results.pop() as HeldResult
      remove(oldest)
      onEvicted(oldest.recordKey)
    }
    return true
  }

  const enqueue = (record: HeldRecord, before: HeldRecord | undefined): void => {
    // A record that lives longer than before is found in the queue in time; one that lives shorter is not.
    if (before && before.endsAt <= record.endsAt) return
    queue.add(record.recordKey, record.endsAt)
    // Keys that come and go leave entries behind.
    if (queue.size > 2 * size() + 1000) queue.reset(dues())
  }

  const dues = function* () {
    for (const { recordKey, endsAt } of open.values()) yield { recordKey, at: endsAt }
    for (const { recordKey, endsAt } of results.values()) yield { recordKey, at: endsAt }
  }

  return {
    get size() {
      return size()
    },
    find: (recordKey, now) => unlessOver(open.get(recordKey) ?? results.get(recordKey), now),
    peek: (recordKey, now) => unlessOver(open.get(recordKey) ?? results.peek(recordKey), now),
    put: (record, before, now) => {
      const moreBytes = record.bytes - (before?.bytes ?? 0)
      const moreEntries = before ? 0 : 1
      if (!fits(moreBytes, moreEntries) && !makeRoom(moreBytes, moreEntries, record.recordKey, now))
        return false
      if (before) remove(before)
      add(record)
      enqueue(record, before)
      return true
    },
    remove,
    purge,
    clear: () => {
      open.clear()
      results.clear()
      expendable.clear()
      queue.reset([])
      bytes = 0
      resultBytes = 0
      expendableBytes = 0
    },
  }
}
