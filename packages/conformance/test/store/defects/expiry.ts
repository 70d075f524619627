import { type Defect, wrongAcquire, wrongRecord, wrongWrite } from '../defect.js'
import { isOver } from './standing.js'

/** Stores that count time wrongly. */
export const expiry: { readonly [guarantee: string]: Defect } = {
  'a completed record is absent when its retention is over, though nobody purged': wrongAcquire(
    (held, claim, now, sound) =>
      held?.state === 'completed' && isOver(held, now)
        ? sound.acquire({ ...held, endsAt: now + 1 }, claim, now)
        : undefined,
  ),
  'a failed record is absent when its retention is over, attempts and progress with it':
    wrongAcquire((held, claim, now, sound) =>
      held?.state === 'failed' && isOver(held, now)
        ? sound.acquire({ ...held, endsAt: now + 1 }, claim, now)
        : undefined,
    ),
  'a record in flight is absent when lease and retention are over': wrongAcquire(
    (held, claim, now, sound) =>
      held?.state === 'in_flight' && isOver(held, now)
        ? sound.acquire({ ...held, endsAt: now + 1 }, claim, now)
        : undefined,
  ),
  'a lease that is longer than the retention keeps the record': {
    handle: (store, { records, now }) => ({
      acquire: async (claim) => {
        const answer = await store.acquire(claim)
        const held = records.get(claim.recordKey)
        if (held?.state === 'in_flight' && held.token === claim.token && claim.retentionMs < 1000)
          records.set(claim.recordKey, { ...held, endsAt: now() + claim.retentionMs })
        return answer
      },
    }),
  },
  'retention is counted from the completion': wrongRecord((next, before) =>
    next.state === 'completed' && before?.state === 'in_flight'
      ? { ...next, endsAt: Math.min(next.endsAt, before.endsAt) }
      : next,
  ),
  'retention is counted from the failure': wrongRecord((next, before) =>
    next.state === 'failed' && before?.state === 'in_flight'
      ? { ...next, endsAt: Math.min(next.endsAt, before.endsAt) }
      : next,
  ),
  'the retention of a result may be shorter than the lease was': wrongRecord((next, before) =>
    next.state === 'completed' && before?.state === 'in_flight' && before.endsAt < 60_000
      ? { ...next, endsAt: Math.max(next.endsAt, before.leaseEndsAt) }
      : next,
  ),
  'a replay does not move the expiry': wrongAcquire((held, claim, now, sound) => {
    const step = sound.acquire(held, claim, now)
    return step.answer.kind === 'exists' && held?.state === 'completed'
      ? { ...step, next: { ...held, endsAt: Math.max(held.endsAt, now + claim.retentionMs) } }
      : step
  }),
  'a read never shows what is over': {
    parts: ({ model }) => ({
      model: {
        ...model,
        read: (held, now) =>
          model.read(
            held && (held.state === 'failed' && held.inDoubt ? { ...held, endsAt: now + 1 } : held),
            now,
          ),
      },
    }),
  },
  'a holder that comes when its record is over finds it gone': wrongWrite(
    (held, asked, now, sound) =>
      held?.state === 'in_flight' && isOver(held, now)
        ? sound.write({ ...held, endsAt: now + 1 }, asked, now)
        : undefined,
  ),
  'durations of up to 2^53 - 1 milliseconds last': wrongRecord((next, _, now) => ({
    ...next,
    // A timer's 32 bits.
    endsAt: now + Math.min(next.endsAt - now, 2 ** 31 - 1),
  })),
  'a duration of one millisecond is over when one has passed': wrongRecord((next, _, now) =>
    next.endsAt - now < 100 ? { ...next, endsAt: now + 60_000 } : next,
  ),
}
