import type { ModelRecord } from '../../../src/model.js'
import { type Defect, wrongAcquire, wrongRecord, wrongWrite } from '../defect.js'
import { isAbandoned, withoutProgress } from './standing.js'

const asText = (bytes: Uint8Array): Uint8Array =>
  new TextEncoder().encode(new TextDecoder().decode(bytes))

/** Stores that hand abandoned and failed records on wrongly. */
export const takingOver: { readonly [guarantee: string]: Defect } = {
  // What is taken over.
  'an abandoned record goes to a claim with takeover, one attempt further': wrongAcquire(
    (held, claim, now, sound) => {
      const step = sound.acquire(held, claim, now)
      return step.answer.kind === 'acquired' && held && isAbandoned(held, now)
        ? { ...step, answer: { ...step.answer, after: 'failed' } }
        : step
    },
  ),
  'an abandoned record is shown, not given, without takeover': wrongAcquire(
    (held, claim, now, sound) =>
      isAbandoned(held, now) ? sound.acquire(held, { ...claim, takeover: true }, now) : undefined,
  ),
  'a failed record that is not in doubt runs again without takeover': wrongAcquire(
    (held, claim, now, sound) => {
      const step = sound.acquire(held, claim, now)
      return step.answer.kind === 'acquired' && held?.state === 'failed' && !held.inDoubt
        ? { ...step, answer: { ...step.answer, after: 'abandoned' } }
        : step
    },
  ),
  'a failed record in doubt is given only to a claim with takeover': wrongAcquire(
    (held, claim, now, sound) =>
      held?.state === 'failed' && held.inDoubt && !held.progress
        ? sound.acquire(held, { ...claim, takeover: true }, now)
        : undefined,
  ),
  'attempts are counted through failures and takeovers alike': wrongRecord((next) => ({
    ...next,
    attempt: Math.min(next.attempt, 3),
  })),
  'a takeover has a lease of its own': wrongRecord((next, before, now) =>
    next.state === 'in_flight' &&
    before &&
    isAbandoned(before, now) &&
    next.attempt > before.attempt
      ? { ...next, leaseEndsAt: now + 1 }
      : next,
  ),
  'a takeover has a retention of its own': wrongRecord((next, before) =>
    before && next.attempt > before.attempt ? { ...next, endsAt: before.endsAt } : next,
  ),

  // What is left for the next.
  'progress is replaced by a renewal that brings one, and kept by one that brings none': wrongWrite(
    (held, asked, now, sound) =>
      asked.verb === 'renew' && !asked.progress && held?.attempt === 1
        ? sound.write(held && withoutProgress(held), asked, now)
        : undefined,
  ),
  'progress outlives a failure': wrongRecord((next) =>
    next.state === 'failed' && next.inDoubt ? withoutProgress(next) : next,
  ),
  'progress outlives a takeover': wrongRecord((next, before) =>
    next.state === 'in_flight' && before?.state === 'in_flight' && next.token !== before.token
      ? withoutProgress(next)
      : next,
  ),
  'progress comes back byte by byte, and an empty one is one': wrongRecord((next) =>
    next.progress ? ({ ...next, progress: asText(next.progress) } as ModelRecord) : next,
  ),
}
