import { randomUUID } from 'node:crypto'
import type { Claiming } from './claiming.js'
import type { WrappedResults } from './codec.js'
import { asked, withDeadline } from './deadline.js'
import type { Emitter } from './events.js'
import { doubtRetentionOf } from './holding.js'
import type { CommonSettings } from './settings.js'
import type { Claim, WriteResult } from './store.js'

/** What came of the word of an operator: only a key that nobody holds and that has no result takes one. */
export type Resolution = 'resolved' | 'absent' | 'in-flight' | 'completed'

/** A result, or that the key may run again. */
export type Word = Uint8Array | 'run-again'

interface ResolvingTerms {
  readonly settings: CommonSettings
  readonly emitter: Emitter
  readonly results: WrappedResults
  readonly claiming: Claiming
}

/** How often it looks again at a record that keeps changing under it. */
const maxRounds = 5

/** Lets an operator end a key that is in doubt or has failed, as a holder of its own would. */
export const createResolving = ({ settings, emitter, results, claiming }: ResolvingTerms) => {
  const { store, leaseMs, retentionMs, storeTimeoutMs } = settings
  const terms = { leaseMs, retentionMs: doubtRetentionOf(settings), takeover: true }
  const ask = <T>(call: () => Promise<T>): Promise<T> => withDeadline(asked(call), storeTimeoutMs)

  const end = (claim: Claim, word: Word): Promise<WriteResult> =>
    word === 'run-again'
      ? store.fail(claim, { retentionMs, inDoubt: false })
      : store.complete(claim, { result: word, retentionMs })

  return async (recordKey: string, scope: string | undefined, given: Word): Promise<Resolution> => {
    const startedAt = performance.now()
    // Before anything is taken: a codec that fails must leave the key as it was.
    const word = given === 'run-again' ? given : await results.wrap(given, recordKey)
    for (let round = 0; round < maxRounds; round++) {
      const record = await ask(() => store.read(recordKey))
      if (record === undefined) return 'absent'
      if (record.state === 'completed') return 'completed'
      if (record.state === 'in_flight' && record.leaseRemainingMs > 0) return 'in-flight'
      const { fingerprint } = record
      const claim: Claim = { recordKey, token: randomUUID(), fingerprint, ...terms }
      const acquisition = await claiming.acquire(claim)
      if (acquisition.kind === 'exists') continue
      const { attempt, after } = acquisition
      const wasLost = after === 'nothing'
      try {
        const written = await ask(() => (wasLost ? store.release(claim) : end(claim, word)))
        if (wasLost) return 'absent'
        if (written !== 'ok') continue
      } catch (error) {
        claiming.giveUp(claim, Promise.resolve(acquisition))
        throw error
      }
      emitter.emit('resolved', () => ({
        keyHash: recordKey,
        scope: scope ?? 'global',
        attempt,
        durationMs: performance.now() - startedAt,
      }))
      return 'resolved'
    }
    return 'in-flight'
  }
}
