import { changes } from '@retrysafe/core'
import { Client } from 'pg'
import { channel } from './statements.js'

/** Hears of records whose attempt has ended, on a connection of its own that is made when first somebody waits. */
export interface WakeUps {
  /**
   * Resolves when the end of the record's attempt was told, when nothing will be (`announce` says so), or when the
   * signal aborts. What is told while the connection is down is lost: who waits looks again by the clock.
   */
  wait(recordKey: string, signal: AbortSignal, announce: () => Promise<boolean>): Promise<void>
  tell(recordKey: string): void
  /** Lets everybody go, and closes the connection. */
  close(): Promise<void>
}

/** @param options What the connection is made with; `undefined` where nothing can be listened to. */
export const createWakeUps = (options: object | undefined): WakeUps => {
  const waiters = changes()
  let listener: Promise<Client> | undefined
  /** The client of that, from its beginning. */
  let listening: Client | undefined

  const listen = async (made: object): Promise<Client> => {
    const client = new Client(made)
    const lose = (): void => {
      if (listening === client) {
        listening = undefined
        listener = undefined
      }
    }
    listening = client
    client.on('error', lose).on('end', lose)
    client.on('notification', ({ payload }) => waiters.tell(payload ?? ''))
    try {
      await client.connect()
      await client.query(`LISTEN ${channel}`)
      return client
    } catch (error) {
      lose()
      client.end().catch(() => {})
      throw error
    }
  }

  return {
    wait: async (recordKey, signal, announce) => {
      const woken = waiters.wait(recordKey, signal)
      if (options !== undefined) {
        // Listened to first and announced then: what ends in between is told to nobody, and `announce` sees it.
        listener ??= listen(options)
        listener.then(announce).then(
          (isAnnounced) => {
            if (!isAnnounced) waiters.tell(recordKey)
          },
          () => {},
        )
      }
      await woken
    },
    tell: waiters.tell,
    close: async () => {
      waiters.clear()
      listener?.catch(() => {})
      await listening?.end().catch(() => {})
    },
  }
}
