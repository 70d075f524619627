import { randomUUID } from 'node:crypto'
import { createClaiming, type Way } from './claiming.js'
import { wrappedResults } from './codec.js'
import { asked, withDeadline } from './deadline.js'
import { type Decision, decide } from './decision.js'
import { drain, trackOpen } from './drain.js'
import { StoreError } from './errors.js'
import type { Emitter, KeyDetail } from './events.js'
import { type ActiveExecution, doubtRetentionOf, type HeldRequest, hold } from './holding.js'
import { type StoredResult, unreadable } from './record.js'
import { createResolving, type Resolution, type Word } from './resolving.js'
import type { CommonSettings } from './settings.js'
import type { Acquisition, Claim, IdempotencyRecord } from './store.js'
import { createWaitingRoom } from './waiting.js'

/** One request for a key, as the machine sees it. */
export interface ClaimRequest extends HeldRequest {
  readonly recordKey: string
  /** Calls the listener when the client goes away; answers the function that ends it. */
  readonly whenGone?: (listener: () => void) => () => void
}

/** What came of a claim. */
export type Claimed =
  /** `inDoubt`: the earlier attempt may have had effects, and `onDoubt` is to be asked before anything runs. */
  | { readonly kind: 'execute'; readonly active: ActiveExecution; readonly inDoubt: boolean }
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

const layerClosed = (): StoreError => new StoreError('store-unavailable', 'The layer was closed.')

/** How often a claim looks again at a record that keeps changing under it. */
const maxRounds = 5

export interface Engine {
  claim(request: ClaimRequest): Promise<Claimed>
  /** What stands, with its result as it was before it was wrapped. */
  inspect(recordKey: string): Promise<{
    readonly record: IdempotencyRecord | undefined
    readonly result: StoredResult | undefined
  }>
  /** Ends a key that is in doubt, with a result or so that it may run again. */
  resolve(recordKey: string, scope: string | undefined, word: Word): Promise<Resolution>
  purgeExpired(limit?: number): Promise<number>
  close(): Promise<void>
}

/** The machine on a store. */
export const createEngine = (settings: CommonSettings, emitter: Emitter): Engine => {
  const { store, leaseMs, storeTimeoutMs, onDoubt } = settings
  const { retryAfterMs = 1_000, waitMs, maxWaiters = 1_000 } = settings.onInFlight
  const doubtRetentionMs = doubtRetentionOf(settings)
  const results = wrappedResults([settings.codec].flat(), storeTimeoutMs)
  const claiming = createClaiming(settings)
  const waiting = createWaitingRoom(store, { storeTimeoutMs, maxWaiters })
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
    /** The answer that stands, where the handler does not run. */
    const told = async (
      decision: Exclude<Decision, { kind: 'execute' | 'again' }>,
    ): Promise<Claimed> => {
      switch (decision.kind) {
        case 'replay':
          try {
            const result = await results.unwrap(decision.result, request.recordKey)
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
      }
    }
    // By what this request is made of, also where it is claimed by what the record has.
    const judged = (acquisition: Acquisition): Decision => {
      const { fingerprint, earlier } = request
      try {
        return decide(acquisition, { fingerprint, earlier, takeover, retryAfterMs })
      } catch (cause) {
        // Something stands there, but no record: it must not be taken for a store that is out of reach.
        throw unreadable('it is none', cause)
      }
    }
    /** What has become of the first, where waiting for it was of use. Whoever waits never runs the handler. */
    const waited = async (): Promise<Claimed | undefined> => {
      if (waitMs === undefined || closed) return undefined
      const { recordKey, whenGone } = request
      const outcome = await waiting.wait(recordKey, { waitMs, whenGone })
      if (outcome === undefined || outcome.kind === 'over') return undefined
      const { record } = outcome
      let decision: Decision | undefined
      try {
        decision = record ? judged({ kind: 'exists', record }) : undefined
      } catch (error) {
        return refused(error as StoreError)
      }
      switch (decision?.kind) {
        case 'replay':
        case 'mismatch':
        case 'unreadable':
          return told(decision)
        case 'doubt':
          if (onDoubt === 'reject') return told(decision)
      }
      // The first has failed or left no trace, or there is something to find out: whoever asks again may run.
      return told({ kind: 'in-flight', retryAfterMs: 1_000, attempt: record?.attempt ?? 0 })
    }

    if (closed) return refused(layerClosed())

    let fingerprint = request.fingerprint
    let takeover = onDoubt === 'run-again'
    let inDoubt = false
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
        acquisition = await claiming.acquire(claimed, way)
      } catch (error) {
        return refused(error as StoreError)
      }
      if (way.abandoned) return refused(layerClosed())
      let decision: Decision
      try {
        decision = judged(acquisition)
      } catch (error) {
        return refused(error as StoreError)
      }
      switch (decision.kind) {
        case 'execute':
          return {
            kind: 'execute',
            active: hold({
              settings,
              emitter,
              results,
              claim: claimed,
              decision,
              request,
              told: () => detail(decision.attempt),
              // Not given up when it fails, as a new claim would be: the lease may still be ours.
              acquireAgain: () => claiming.acquireAgain(claimed),
            }),
            inDoubt: inDoubt && decision.after !== 'nothing',
          }
        case 'again':
          fingerprint = decision.fingerprint
          break
        case 'in-flight':
          return (await waited()) ?? told(decision)
        case 'doubt':
          if (typeof onDoubt !== 'function' || takeover) return told(decision)
          // Taken over, so that one alone finds out what has become of it.
          takeover = true
          inDoubt = true
          break
        default:
          return told(decision)
      }
    }
    // It was taken and given up under our eyes, again and again: somebody is at work on it.
    emitter.emit('in-flight', () => detail(0))
    return { kind: 'in-flight', retryAfterMs }
  }

  return {
    claim,
    purgeExpired: (limit = 1_000) => store.purgeExpired(limit),
    inspect: async (recordKey) => {
      const record = await withDeadline(
        asked(() => store.read(recordKey)),
        storeTimeoutMs,
      )
      const isCompleted = record?.state === 'completed'
      return {
        record,
        result: isCompleted ? await results.unwrap(record.result, recordKey) : undefined,
      }
    },
    resolve: createResolving({ settings, emitter, results, claiming }),
    close: async () => {
      closed = true
      waiting.close()
      await drain(store, settings.graceMs)
      await store.close()
      emitter.close()
    },
  }
}
