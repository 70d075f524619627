import { explain, IdempotencyError } from '@retrysafe/core'

/** Lets calls in until it is closed, and knows when the last one has left. */
export interface Gate {
  /** Makes the call. Rejects with `closed` once the gate is. */
  enter<T>(call: () => Promise<T>): Promise<T>
  /** Lets nobody in any more; resolves when everyone has left. */
  close(): Promise<void>
}

/** `file` is named to those who come too late. */
export const createGate = (file: string): Gate => {
  let inside = 0
  let isClosed = false
  let onEmpty: (() => void) | undefined

  return {
    async enter(call) {
      if (isClosed)
        throw new IdempotencyError(
          'closed',
          explain('closed', 'an open store', 'a call after close()', `Its file was ${file}.`),
        )
      inside++
      try {
        return await call()
      } finally {
        inside--
        if (inside === 0) onEmpty?.()
      }
    },

    async close() {
      isClosed = true
      if (inside === 0) return
      await new Promise<void>((resolve) => {
        onEmpty = resolve
      })
    },
  }
}
