import { asked, pause, withDeadline } from './deadline.js'
import { trackOpen } from './drain.js'
import { isIdempotencyError } from './errors.js'
import { doubtRetentionOf } from './holding.js'
import type { CommonSettings } from './settings.js'
import type { Acquisition, Claim } from './store.js'

/** A claim that close() may have to leave behind. */
export interface Way {
  abandoned: boolean
}

/** The only caller of `acquire`. */
export interface Claiming {
  /** Rejects with `StoreError` where the store fails or does not answer in time; then the claim is undone. */
  acquire(claim: Claim, way?: Way): Promise<Acquisition>
  /** Once more under the same token, after a loss. Not undone when it fails: the lease may still be ours. */
  acquireAgain(claim: Claim): Promise<Acquisition>
  /**
   * Undoes a claim that nobody waits for any more, when the store answers: it may have been taken, or be taken
   * later. What came after an earlier attempt is failed, not released, so that the attempt is not forgotten.
   */
  giveUp(claim: Claim, call: Promise<Acquisition>): void
}

export const createClaiming = (settings: CommonSettings): Claiming => {
  const { store, leaseMs, storeTimeoutMs, onDoubt } = settings
  const doubtRetentionMs = doubtRetentionOf(settings)

  const giveUp = (claim: Claim, call: Promise<Acquisition>): void => {
    // Only what is in doubt is taken over there, and it must not come out of it.
    const inDoubt = claim.takeover && onDoubt !== 'run-again'
    let abandoned = false
    let isSeen = (): void => {}
    const seen = new Promise<void>((resolve) => {
      isSeen = resolve
    })
    const undo = async (): Promise<void> => {
      let isUnasked = false
      const late = await call.catch((error: unknown) => {
        isUnasked = isIdempotencyError(error) && 'unasked' in error && error.unasked === true
        return undefined
      })
      if (isUnasked || late?.kind === 'exists' || abandoned) return
      const until = performance.now() + leaseMs
      let keepAlive = true
      for (let pauseMs = 20; !abandoned && performance.now() < until; pauseMs *= 2) {
        try {
          const attempt = late?.attempt ?? (await attemptOf(claim))
          if (attempt !== undefined) {
            const ending: Promise<unknown> =
              attempt === 1
                ? store.release(claim)
                : store.fail(claim, { retentionMs: doubtRetentionMs, inDoubt })
            await withDeadline(ending, storeTimeoutMs)
            return
          }
          // A call that was cut off may arrive yet. It is looked for more and more seldom, and nobody waits for that.
          isSeen()
          keepAlive = false
          await pause(pauseMs, { keepAlive })
        } catch {
          await pause(Math.min(pauseMs, 1_000), { keepAlive })
        }
      }
    }
    trackOpen(store, {
      settled: Promise.race([seen, undo().catch(() => {})]),
      abandon: () => {
        abandoned = true
      },
    })
  }

  const attemptOf = async ({ recordKey, token }: Claim): Promise<number | undefined> => {
    const record = await withDeadline(
      asked(() => store.read(recordKey)),
      storeTimeoutMs,
    )
    return record?.token === token && record.state === 'in_flight' ? record.attempt : undefined
  }

  return {
    giveUp,
    acquire: async (claim, way) => {
      const call = asked(() => store.acquire(claim))
      try {
        return await withDeadline(call, storeTimeoutMs)
      } catch (error) {
        if (!way?.abandoned) giveUp(claim, call)
        throw error
      }
    },
    acquireAgain: (claim) =>
      withDeadline(
        asked(() => store.acquire({ ...claim, takeover: false })),
        storeTimeoutMs,
      ),
  }
}
