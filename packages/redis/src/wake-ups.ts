import { changes } from '@retrysafe/core'
import type { RedisClient } from './redis-client.js'

/** Hears of records whose attempt has ended, on a connection of its own that is made when first somebody waits. */
export interface WakeUps {
  /**
   * Resolves when the channel was published on, when nothing will be (`announce` says so), or when the signal aborts.
   * A message that was lost is not missed for good: who waits looks again by the clock.
   */
  wait(channel: string, signal: AbortSignal, announce: () => Promise<boolean>): Promise<void>
  /** Lets everybody go; answers the connection, where one was made. */
  close(): RedisClient | undefined
}

export const createWakeUps = (connect: () => RedisClient): WakeUps => {
  const waiters = changes()
  const counts = new Map<string, number>()
  let subscriber: RedisClient | undefined

  const listening = (): RedisClient => {
    if (!subscriber) {
      subscriber = connect()
      subscriber.on('message', (channel: string) => waiters.tell(channel))
    }
    return subscriber
  }

  const enter = async (channel: string): Promise<void> => {
    counts.set(channel, (counts.get(channel) ?? 0) + 1)
    // Again for each who comes: the answer says that the server has it, whoever asked first.
    await listening().subscribe(channel)
  }

  const leave = (channel: string): void => {
    const left = (counts.get(channel) ?? 1) - 1
    if (left > 0) counts.set(channel, left)
    else {
      counts.delete(channel)
      subscriber?.unsubscribe(channel).catch(() => {})
    }
  }

  return {
    wait: async (channel, signal, announce) => {
      const woken = waiters.wait(channel, signal)
      // Asked for first and announced then: what ends in between is published to nobody, and `announce` sees it.
      const entered = enter(channel)
        .then(announce)
        .then(
          (isAnnounced) => {
            if (!isAnnounced) waiters.tell(channel)
          },
          () => {},
        )
      await woken
      void entered
      leave(channel)
    },
    close: () => {
      waiters.clear()
      return subscriber
    },
  }
}
