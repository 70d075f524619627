import { explain, StoreError, settledWithin, timer } from '@retrysafe/core'
import { Redis } from 'ioredis'
import type { RedisClient } from './redis-client.js'

/** A client of the store's own for an address. */
export const openClient = (url: string, storeTimeoutMs: number): RedisClient =>
  quiet(
    new Redis(url, {
      connectionName: 'retrysafe',
      connectTimeout: storeTimeoutMs,
      // A server that was demoted by a failover says so at the next write; its address may lead to the new one by then.
      reconnectOnError: (error) => error.message.includes('READONLY'),
    }),
  )

/** Another connection to the same servers, which is the store's own. */
export const openBeside = (client: RedisClient): RedisClient => {
  const own = { enableOfflineQueue: true, lazyConnect: false }
  const beside = client.isCluster
    ? client.duplicate([], own)
    : client.duplicate({ ...own, maxRetriesPerRequest: null })
  return quiet(beside as RedisClient)
}

/** What goes wrong with a connection is what the calls on it say; an event that nobody hears would be printed. */
const quiet = (client: RedisClient): RedisClient => {
  client.on('error', () => {})
  return client
}

/** Closes what the store opened: politely, where the server answers in time. */
export const closeClient = async (client: RedisClient, timeoutMs: number): Promise<void> => {
  if (client.status === 'ready') {
    const ignore = (): void => {}
    await settledWithin(timeoutMs, client.quit().then(ignore, ignore))
  }
  client.disconnect()
}

/** Lets a call through when there is a connection. */
export interface Readiness {
  /** Resolves at once where there is one. Rejects with `store-unavailable` when there was none in time. */
  wait(): Promise<void> | undefined
  /** Refuses whoever waits, and hears no more. */
  close(): void
}

/**
 * A call that meets no connection waits here, and not in the driver's queue: what is in that queue cannot be taken
 * back, and a claim would be made for a request that was refused long ago.
 */
export const createReadiness = (client: RedisClient, timeoutMs: number): Readiness => {
  const waiting = new Set<(error?: StoreError) => void>()
  const settle = (error?: StoreError): void => {
    for (const leave of waiting) leave(error)
  }
  const onReady = (): void => settle()
  const onEnd = (): void => settle(noConnection('a client that has been closed'))
  client.on('ready', onReady)
  client.on('end', onEnd)

  return {
    wait: () => {
      if (client.status === 'ready') return undefined
      if (client.status === 'end')
        return Promise.reject(noConnection('a client that has been closed'))
      if (client.status === 'wait') client.connect().catch(() => {})
      return new Promise((resolve, reject) => {
        const leave = (error?: StoreError): void => {
          waiting.delete(leave)
          late.stop()
          if (error) reject(error)
          else resolve()
        }
        const late = timer(timeoutMs, () => leave(noConnection(`none within ${timeoutMs} ms`)), {
          keepAlive: true,
        })
        waiting.add(leave)
      })
    },
    close: () => {
      client.off('ready', onReady)
      client.off('end', onEnd)
      settle(noConnection('a store that was closed'))
    },
  }
}

const noConnection = (got: string): StoreError =>
  new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      'a connection to Redis',
      got,
      'What the server has not been asked is not protected.',
    ),
    { unasked: true },
  )
