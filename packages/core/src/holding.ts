import type { WrappedResults } from './codec.js'
import { asked, settledWithin, withDeadline } from './deadline.js'
import type { Decision } from './decision.js'
import { trackOpen } from './drain.js'
import type { IdempotencyError } from './errors.js'
import type { Emitter, KeyDetail } from './events.js'
import { createExecution, type ExecutionControl, leaseLost, runLimit } from './execution.js'
import { compareFingerprints, type EarlierFingerprint } from './fingerprint.js'
import { startHeartbeat } from './heartbeat.js'
import { type Outcome, writeEnding } from './outcome.js'
import type { StoredResult } from './record.js'
import { createRenewing } from './renewing.js'
import type { Keep } from './response-policy.js'
import type { CommonSettings } from './settings.js'
import { type Acquisition, type Claim, reservedBytes } from './store.js'
import type { Ending } from './transaction.js'

/** What of a request its execution shows. */
export interface HeldRequest {
  readonly key: string
  readonly scope: string | undefined
  readonly fingerprint: string
  /** The same request under earlier settings. */
  readonly earlier?: EarlierFingerprint | undefined
  /** What is kept of a result that cannot be kept; without one, that it has happened and nothing else. */
  readonly notStored: (result?: Uint8Array) => Uint8Array
}

/** An execution with its lease, its heartbeat and its one ending. */
export interface ActiveExecution extends ExecutionControl {
  /**
   * Writes the ending that `keep` stands for. Resolves when the store has it, or after `storeTimeoutMs` with
   * `pending`: then the answer leaves, and the tries go on.
   * @param threw The handler threw or answered 5xx, which leaves the outcome in doubt.
   */
  finish(keep: Keep, result: Uint8Array, threw: boolean): Promise<Outcome | 'pending'>
  /** Gives the key back as it was found: nothing has run. */
  giveBack(): Promise<void>
  /** What has become of the key in other hands; `undefined` where no answer stands, or that to another request. */
  whatStands(): Promise<StoredResult | undefined>
}

export interface HoldingTerms {
  readonly settings: CommonSettings
  readonly emitter: Emitter
  readonly results: WrappedResults
  readonly claim: Claim
  readonly decision: Extract<Decision, { kind: 'execute' }>
  readonly request: HeldRequest
  readonly told: () => KeyDetail
  /** Claims once more under the same token, without taking over. */
  readonly acquireAgain: () => Promise<Acquisition>
}

/** How long a key in doubt lives: for somebody to find out, however long that takes. */
export const doubtRetentionOf = ({
  onDoubt,
  retentionMs,
  doubtRetentionMs,
}: CommonSettings): number =>
  onDoubt === 'run-again' ? retentionMs : Math.max(retentionMs, doubtRetentionMs)

/** Keeps an acquired lease alive until its one ending is written. */
export const hold = ({
  settings,
  emitter,
  results,
  claim,
  decision: { attempt, after, progress },
  request,
  told,
  acquireAgain,
}: HoldingTerms): ActiveExecution => {
  const { store, leaseMs, maxRunMs, retentionMs, storeTimeoutMs, onDoubt } = settings
  const startedAt = performance.now()
  let ending = false
  let abandoned = false
  let settle = (): void => {}
  const settled = new Promise<void>((resolve) => {
    settle = resolve
  })

  const lose = (): void => {
    if (control.standing() === 'stale') return
    close()
    control.lose('stale', leaseLost())
    emitter.emit('lease-lost', told)
  }
  const close = (): void => {
    heartbeat.stop()
    settle()
  }

  const isEnding = (): boolean => ending || control.isCommitting()
  const renewing = createRenewing({ settings, claim, progress, acquireAgain, isEnding })

  const beat = async (): Promise<'beaten' | 'failed'> => {
    try {
      const renewed = await renewing.renew()
      // While the ending is being written, its own answer is the one that counts: it may have arrived already.
      // The same while a transaction commits: what it writes, or has just written, is what the renewal came upon.
      if (renewed === 'lost' && !isEnding()) lose()
      return 'beaten'
    } catch (error) {
      emitter.emit('store-down', () => ({ ...told(), error }))
      return 'failed'
    }
  }

  const control = createExecution({
    key: request.key,
    scope: request.scope,
    lease: { recordKey: claim.recordKey, token: claim.token },
    attempt,
    after,
    effectsMarked: renewing.isMarked,
    markEffects: async () => {
      if ((await renewing.mark()) === 'renewed') return
      if (!ending) lose()
      throw leaseLost()
    },
    endingOf: (keep, result) =>
      endingOf(
        keep,
        keep === 'complete' ? results.wrapNow(result, claim.recordKey) : result,
        false,
      ),
    endingLaterOf: async (keep, result) =>
      endingOf(
        keep,
        keep === 'complete' ? await results.wrap(result, claim.recordKey, storeTimeoutMs) : result,
        false,
      ),
    onCommitted: (written) => {
      ending = true
      close()
      emitter.emit(eventOf(written), told)
    },
    onRolledBack: (reason) => {
      if (reason !== 'stale' && reason !== 'gone' && reason !== 'unknown') return
      close()
      if (reason === 'unknown') {
        const error: unknown = control.execution.signal.reason
        emitter.emit('completion-given-up', () => ({ ...told(), error }))
      } else emitter.emit('lease-lost', told)
    },
  })

  const heartbeat = startHeartbeat({ leaseMs, maxRunMs }, beat, () => {
    control.lose('open', runLimit(maxRunMs))
    emitter.emit('run-limit', told)
    if (!ending) settle()
  })
  trackOpen(store, {
    settled,
    abandon: () => {
      abandoned = true
      heartbeat.stop()
      settle()
    },
  })

  const endingOf = (keep: Keep, result: Uint8Array, threw: boolean): Ending => {
    switch (keep) {
      case 'complete':
        return { verb: 'complete', result, retentionMs }
      case 'fail': {
        const inDoubt = threw && onDoubt !== 'run-again' && control.said() !== 'fail'
        return {
          verb: 'fail',
          inDoubt,
          retentionMs: inDoubt ? doubtRetentionOf(settings) : retentionMs,
        }
      }
      case 'release':
        return { verb: 'release' }
    }
  }

  const wrapped = async (result: Uint8Array, until: number): Promise<Uint8Array> => {
    try {
      return await results.wrap(result, claim.recordKey, until - performance.now())
    } catch (error) {
      emitter.emit('codec-failed', () => ({ ...told(), error }))
      return request.notStored()
    }
  }
  const notStored = async (result: Uint8Array, until: number): Promise<Uint8Array> => {
    const rest = await wrapped(request.notStored(result), until)
    return rest.length <= reservedBytes ? rest : request.notStored()
  }

  const finish = (keep: Keep, result: Uint8Array, threw: boolean): Promise<Outcome | 'pending'> => {
    ending = true
    return settledWithin(storeTimeoutMs, end(keep, result, threw))
  }

  /** Never rejects. */
  const end = async (keep: Keep, result: Uint8Array, threw: boolean): Promise<Outcome> => {
    const until = Math.max(startedAt + maxRunMs, performance.now() + storeTimeoutMs)
    const written = endingOf(
      keep,
      keep === 'complete' ? await wrapped(result, until) : result,
      threw,
    )
    await renewing.settled()
    let lastError: IdempotencyError | undefined
    const outcome = await writeEnding(written, {
      store,
      lease: claim,
      storeTimeoutMs,
      mayRetry: () => !abandoned && performance.now() < until,
      claimAgain: renewing.claimAgain,
      notStored: () => notStored(result, until),
      onRetry: (error) => {
        lastError = error
        emitter.emit('completion-retried', () => ({ ...told(), error }))
      },
      onFull: (error) => emitter.emit('store-full', () => ({ ...told(), error })),
    })
    if (outcome === 'stale') lose()
    else close()
    if (outcome === 'written') {
      control.end()
      emitter.emit(eventOf(written), told)
    }
    if (outcome === 'given-up') {
      emitter.emit('completion-given-up', () => ({ ...told(), error: lastError }))
    }
    return outcome
  }

  const giveBack = async (): Promise<void> => {
    // An attempt before it is not forgotten, nor is the doubt that it has left; only what is in doubt is taken over.
    await finish(after === 'nothing' ? 'release' : 'fail', new Uint8Array(), claim.takeover)
  }

  const whatStands = async (): Promise<StoredResult | undefined> => {
    const record = await withDeadline(
      asked(() => store.read(claim.recordKey)),
      storeTimeoutMs,
    )
    if (record?.state !== 'completed') return undefined
    // The record may have been lost, and the key used for something else since.
    const compared = compareFingerprints(request.fingerprint, record.fingerprint, request.earlier)
    return compared === 'same' ? results.unwrap(record.result, claim.recordKey) : undefined
  }

  emitter.emit('acquired', told)
  if (after !== 'nothing') emitter.emit('takeover', () => ({ ...told(), after }))
  return { ...control, finish, giveBack, whatStands }
}

const eventOf = ({ verb }: Ending): 'completed' | 'failed' | 'released' =>
  verb === 'complete' ? 'completed' : verb === 'fail' ? 'failed' : 'released'
