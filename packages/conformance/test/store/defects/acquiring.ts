import type { ModelRecord } from '../../../src/model.js'
import { type Defect, wrongAcquire } from '../defect.js'
import { isAbandoned, withoutProgress } from './standing.js'

/** Stores that answer the one question wrongly. */
export const acquiring: { readonly [guarantee: string]: Defect } = {
  'an absent record goes to the first claim, as attempt 1 after nothing': wrongAcquire(
    (held, claim, now, sound) => {
      if (held) return undefined
      const { next, answer } = sound.acquire(held, claim, now)
      return answer.kind === 'acquired'
        ? { next, answer: { ...answer, after: 'abandoned' } }
        : undefined
    },
  ),
  'the holder that asks again is answered as before': wrongAcquire((held, claim, now, sound) =>
    held?.state === 'in_flight' &&
    now < held.leaseEndsAt &&
    !held.progress &&
    held.token === claim.token
      ? sound.acquire(held, { ...claim, token: 'taken for another' }, now)
      : undefined,
  ),
  'the holder that asks again after a takeover is told the same cause and progress': wrongAcquire(
    (held, claim, now, sound) =>
      held?.state === 'in_flight' && held.attempt > 1 && held.token === claim.token
        ? sound.acquire({ ...withoutProgress(held), after: 'nothing' } as ModelRecord, claim, now)
        : undefined,
  ),
  'the holder whose lease is over is not its own successor': wrongAcquire(
    (held, claim, now, sound) =>
      held && isAbandoned(held, now) && held.token === claim.token
        ? sound.acquire({ ...held, token: 'lost' }, claim, now)
        : undefined,
  ),
  'asking again does not restart the lease': wrongAcquire((held, claim, now) =>
    held?.state === 'in_flight' && held.token === claim.token && now < held.leaseEndsAt
      ? {
          next: { ...held, leaseEndsAt: now + claim.leaseMs },
          answer: {
            kind: 'acquired',
            attempt: held.attempt,
            after: held.after,
            ...(held.progress ? { progress: held.progress } : {}),
          },
        }
      : undefined,
  ),
  'a live lease is not taken, not even with takeover': wrongAcquire((held, claim, now, sound) =>
    held?.state === 'in_flight' &&
    held.leaseEndsAt > now + 3_600_000 &&
    held.fingerprint === claim.fingerprint &&
    held.attempt === 1 &&
    held.token !== claim.token
      ? sound.acquire({ ...held, leaseEndsAt: now }, claim, now)
      : undefined,
  ),
  'who finds a live lease is told the rest of it': wrongAcquire((held, claim, now, sound) => {
    const step = sound.acquire(held, claim, now)
    if (step.answer.kind === 'acquired' || step.answer.record.state !== 'in_flight') return step
    if (step.answer.record.leaseRemainingMs === 0 || claim.takeover) return step
    const record = { ...step.answer.record, leaseRemainingMs: claim.leaseMs }
    return { ...step, answer: { kind: 'exists', record } }
  }),
  'a completed record is answered with its result, and given to nobody': wrongAcquire(
    (held, claim, now, sound) =>
      held?.state === 'completed' && claim.takeover && held.fingerprint === claim.fingerprint
        ? sound.acquire(undefined, claim, now)
        : undefined,
  ),
  'another fingerprint is a mismatch while the first is in flight, for the holder too':
    wrongAcquire((held, claim, now, sound) =>
      held?.state === 'in_flight' && held.token === claim.token
        ? sound.acquire(held, { ...claim, fingerprint: held.fingerprint }, now)
        : undefined,
    ),
  'another fingerprint does not take over an abandoned record': wrongAcquire(
    (held, claim, now, sound) =>
      held && isAbandoned(held, now) && held.token !== claim.token
        ? sound.acquire(held, { ...claim, fingerprint: held.fingerprint }, now)
        : undefined,
  ),
  'another fingerprint does not acquire a failed record': wrongAcquire((held, claim, now, sound) =>
    held?.state === 'failed'
      ? sound.acquire({ ...held, fingerprint: claim.fingerprint }, claim, now)
      : undefined,
  ),
  'another fingerprint is shown a completed record under its own': wrongAcquire(
    (held, claim, now, sound) =>
      held?.state === 'completed'
        ? sound.acquire({ ...held, fingerprint: claim.fingerprint }, claim, now)
        : undefined,
  ),
}
