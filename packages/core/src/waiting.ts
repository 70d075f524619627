import { asked, timer, withDeadline } from './deadline.js'
import type { IdempotencyRecord, IdempotencyStore } from './store.js'

/** How a wait came out. `over`: time is, or the client has gone; nothing is known. */
export type Waited =
  | { readonly kind: 'over' }
  | { readonly kind: 'changed'; readonly record: IdempotencyRecord | undefined }

export interface WaitTerms {
  readonly waitMs: number
  /** Calls the listener when the client goes away; answers the function that ends it. */
  readonly whenGone?: ((listener: () => void) => () => void) | undefined
}

/** Where duplicates wait for the first. */
export interface WaitingRoom {
  /** `undefined` where there is no room left. Resolves when nobody holds the record any more, or time is over. */
  wait(recordKey: string, terms: WaitTerms): Promise<Waited> | undefined
  /** Lets everybody go. */
  close(): void
}

/** Those who wait for one record. */
interface Seats {
  readonly waiting: Set<(waited: Waited) => void>
  /** Aborts when the last has left. */
  readonly left: AbortController
}

/**
 * The pauses between two looks at a record that nobody has announced to have changed: that of another process, or
 * one whose announcement was lost.
 */
const firstPauseMs = 25
const longestPauseMs = 500

/** One look at the store serves all who wait for a record, however many they are. */
export const createWaitingRoom = (
  store: IdempotencyStore,
  { storeTimeoutMs, maxWaiters }: { readonly storeTimeoutMs: number; readonly maxWaiters: number },
): WaitingRoom => {
  const rooms = new Map<string, Seats>()
  let taken = 0

  const watch = async (recordKey: string, { waiting, left }: Seats): Promise<void> => {
    let announced: Promise<'announced'> | undefined
    let pauseMs = firstPauseMs
    let wasAnnounced = false
    while (waiting.size > 0) {
      // Asked for before the look, so that what changes after the look is not missed.
      announced ??= announcement(recordKey, left.signal)
      const record = await look(recordKey)
      if (record !== 'unknown' && !isHeld(record)) {
        for (const leave of [...waiting]) leave({ kind: 'changed', record })
        return
      }
      // A store may announce what is no change, a renewal for one, however often.
      if (wasAnnounced) await pauseUnless(left.signal, firstPauseMs).over
      const pause = pauseUnless(left.signal, pauseMs)
      const woken = await Promise.race([announced, pause.over])
      pause.end()
      wasAnnounced = woken === 'announced'
      if (wasAnnounced) announced = undefined
      else pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    }
  }

  /** Never resolves where the store cannot announce: then the clock alone says when to look. */
  const announcement = (recordKey: string, signal: AbortSignal): Promise<'announced'> =>
    new Promise((resolve) => {
      if (store.changed === undefined) return
      asked(async () => store.changed?.(recordKey, signal)).then(
        () => resolve('announced'),
        () => {},
      )
    })

  const look = async (recordKey: string): Promise<IdempotencyRecord | undefined | 'unknown'> => {
    try {
      return await withDeadline(
        asked(() => store.read(recordKey)),
        storeTimeoutMs,
      )
    } catch {
      // Whoever waits has been told nothing yet, and the store may be back before his time is over.
      return 'unknown'
    }
  }

  return {
    wait: (recordKey, { waitMs, whenGone }) => {
      if (taken >= maxWaiters) return undefined
      const seats = rooms.get(recordKey) ?? { waiting: new Set(), left: new AbortController() }
      rooms.set(recordKey, seats)
      taken++
      return new Promise((resolve) => {
        const leave = (waited: Waited): void => {
          if (!seats.waiting.delete(leave)) return
          taken--
          over.stop()
          stopListening?.()
          if (seats.waiting.size === 0) {
            rooms.delete(recordKey)
            seats.left.abort()
          }
          resolve(waited)
        }
        const over = timer(waitMs, () => leave({ kind: 'over' }), { keepAlive: true })
        let stopListening: (() => void) | undefined
        seats.waiting.add(leave)
        stopListening = whenGone?.(() => leave({ kind: 'over' }))
        // A client may be gone already, and say so at once.
        if (!seats.waiting.has(leave)) stopListening?.()
        else if (seats.waiting.size === 1) void watch(recordKey, seats)
      })
    },
    close: () => {
      for (const { waiting } of [...rooms.values()])
        for (const leave of [...waiting]) leave({ kind: 'over' })
    },
  }
}

const isHeld = (record: IdempotencyRecord | undefined): boolean =>
  record?.state === 'in_flight' && record.leaseRemainingMs > 0

/** A pause that ends with the wait, or before it is over. */
const pauseUnless = (
  signal: AbortSignal,
  forMs: number,
): { readonly over: Promise<void>; end(): void } => {
  let end = (): void => {}
  const over = new Promise<void>((resolve) => {
    end = () => {
      later.stop()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const later = timer(forMs, end)
    signal.addEventListener('abort', end)
  })
  return { over, end }
}
