import { randomUUID } from 'node:crypto'
import { asked, pause, withDeadline } from './deadline.js'
import { type Decision, decide } from './decision.js'
import { drain, trackOpen } from './drain.js'
import { StoreError } from './errors.js'
import type { Emitter, KeyDetail } from './events.js'
import { type ActiveExecution, doubtRetentionOf, type HeldRequest, hold } from './holding.js'
import { decodeResult, type StoredResult, unreadable } from './record.js'
import type { CommonSettings } from './settings.js'
import type { Acquisition, Claim } from './store.js'

/** One request for a key, as the machine sees it. */
export interface ClaimRequest extends HeldRequest {
  readonly recordKey: string
  readonly fingerprint: string
}

/** What came of a claim. */
export type Claimed =
  | { readonly kind: 'execute'; readonly active: ActiveExecution }
  | { readonly kind: 'replay'; readonly result: StoredResult }
  | { readonly kind: 'mismatch' }
  | { readonly kind: 'in-flight'; readonly retryAfterMs: number }
  | { readonly kind: 'doubt' }
  /** Only where the store is `down` may it run without protection. */
  | {
      readonly kind: 'refused'
      readonly reason: 'down' | 'full' | 'unreadable' | 'closed'
      readonly error: StoreError
      readonly detail: KeyDetail
    }

/** A claim that close() may have to leave behind. */
interface Way {
  abandoned: boolean
}

const layerClosed = (): StoreError => new StoreError('store-unavailable', 'The layer was closed.')

/** How often a claim looks again at a record that keeps changing under it. */
const maxRounds = 5

export interface Engine {
  claim(request: ClaimRequest): Promise<Claimed>
  purgeExpired(limit?: number): Promise<number>
  close(): Promise<void>
}

/** The machine on a store. The only caller of `acquire`. */
export const createEngine = (settings: CommonSettings, emitter: Emitter): Engine => {
  const { store, leaseMs, storeTimeoutMs, onDoubt } = settings
  const takeover = onDoubt === 'run-again'
  const doubtRetentionMs = doubtRetentionOf(settings)
  const retryAfterMs = settings.onInFlight.retryAfterMs ?? 1_000
  let closed = false
  emitter.forward(store.watch && ((listener) => store.watch?.(listener) ?? (() => {})))

  const claim = (request: ClaimRequest): Promise<Claimed> => {
    const way: Way = { abandoned: false }
    const claimed = tried(request, way)
    // On its way it counts as running: what comes of it must find the store open.
    const settled = claimed.then(
      () => {},
      () => {},
    )
    trackOpen(store, {
      settled,
      abandon: () => {
        way.abandoned = true
      },
    })
    return claimed
  }

  const tried = async (request: ClaimRequest, way: Way): Promise<Claimed> => {
    const startedAt = performance.now()
    const detail = (attempt: number): KeyDetail => ({
      keyHash: request.recordKey,
      scope: request.scope ?? 'global',
      attempt,
      durationMs: performance.now() - startedAt,
    })
    const refused = (error: StoreError): Claimed => {
      emitter.emit(error.code === 'store-full' ? 'store-full' : 'store-down', () => ({
        ...detail(0),
        error,
      }))
      return { kind: 'refused', reason: reasonOf(error), error, detail: detail(0) }
    }
    const reasonOf = (error: StoreError) => {
      if (error.unreadable) return 'unreadable'
      if (error.code === 'store-full') return 'full'
      return closed ? 'closed' : 'down'
    }
    if (closed) return refused(layerClosed())

    let fingerprint = request.fingerprint
    for (let round = 0; round < maxRounds; round++) {
      const claimed: Claim = {
        recordKey: request.recordKey,
        token: randomUUID(),
        fingerprint,
        leaseMs,
        retentionMs: doubtRetentionMs,
        takeover,
      }
      let acquisition: Acquisition
      try {
        acquisition = await acquire(claimed, way)
      } catch (error) {
        return refused(error as StoreError)
      }
      if (way.abandoned) return refused(layerClosed())
      let decision: Decision
      try {
        decision = decide(acquisition, { fingerprint, takeover, retryAfterMs })
      } catch (cause) {
        // Something stands there, but no record: it must not be taken for a store that is out of reach.
        return refused(unreadable('it is none', cause))
      }
      switch (decision.kind) {
        case 'execute':
          return {
            kind: 'execute',
            active: hold({
              settings,
              emitter,
              claim: claimed,
              decision,
              request,
              told: () => detail(decision.attempt),
              // Not given up when it fails, as a new claim would be: the lease may still be ours.
              acquireAgain: () =>
                withDeadline(
                  asked(() => store.acquire({ ...claimed, takeover: false })),
                  storeTimeoutMs,
                ),
            }),
          }
        case 'replay':
          try {
            const result = decodeResult(decision.result)
            emitter.emit('replayed', () => detail(decision.attempt))
            return { kind: 'replay', result }
          } catch (error) {
            return refused(error as StoreError)
          }
        case 'mismatch':
          emitter.emit('mismatch', () => detail(decision.attempt))
          return { kind: 'mismatch' }
        case 'in-flight':
          emitter.emit('in-flight', () => detail(decision.attempt))
          return { kind: 'in-flight', retryAfterMs: decision.retryAfterMs }
        case 'doubt':
          emitter.emit('doubt', () => detail(decision.attempt))
          return { kind: 'doubt' }
        case 'unreadable':
          return refused(unreadable('its fingerprint was made with other settings'))
        case 'again':
          fingerprint = decision.fingerprint
      }
    }
    // It was taken and given up under our eyes, again and again: somebody is at work on it.
    emitter.emit('in-flight', () => detail(0))
    return { kind: 'in-flight', retryAfterMs }
  }

  const acquire = async (claim: Claim, way: Way): Promise<Acquisition> => {
    const call = asked(() => store.acquire(claim))
    try {
      return await withDeadline(call, storeTimeoutMs)
    } catch (error) {
      if (!way.abandoned) giveUp(claim, call)
      throw error
    }
  }

  /**
   * A claim that nobody waits for any more may still have been taken, or be taken later: it is undone when the
   * store answers. What came after an earlier attempt is failed, not released, so that the attempt is not forgotten.
   */
  const giveUp = (claim: Claim, call: Promise<Acquisition>): void => {
    let abandoned = false
    const undo = async (): Promise<void> => {
      const late = await call.catch(() => undefined)
      if (late?.kind === 'exists' || abandoned) return
      const until = performance.now() + leaseMs
      for (let pauseMs = 20; !abandoned && performance.now() < until; pauseMs *= 2) {
        try {
          const attempt = late?.attempt ?? (await attemptOf(claim))
          if (attempt === undefined) return
          const ending: Promise<unknown> =
            attempt === 1
              ? store.release(claim)
              : store.fail(claim, { retentionMs: doubtRetentionMs, inDoubt: false })
          await withDeadline(ending, storeTimeoutMs)
          return
        } catch {
          await pause(Math.min(pauseMs, 1_000))
        }
      }
    }
    trackOpen(store, {
      settled: undo().catch(() => {}),
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
    claim,
    purgeExpired: (limit = 1_000) => store.purgeExpired(limit),
    close: async () => {
      closed = true
      await drain(store, settings.graceMs)
      await store.close()
      emitter.close()
    },
  }
}
