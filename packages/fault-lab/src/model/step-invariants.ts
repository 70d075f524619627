import type { ModelRecord } from '../../../conformance/src/model.js'
import type { Asked, Step } from './contract-table.js'

/** A sentence of the behaviour contract, section 1, about every step. It stands apart from the rows of the table. */
interface Invariant {
  readonly invariant: string
  readonly isKept: (asked: Asked, step: Step) => boolean
}

const tokenOf = (asked: Asked): string =>
  asked.verb === 'acquire' ? asked.claim.token : asked.write.token

const isAcquired = ({ answer }: Step): boolean =>
  typeof answer === 'object' && answer.kind === 'acquired'

const isHeld = (held: ModelRecord | undefined, now: number): boolean =>
  held?.state === 'in_flight' && now < held.leaseEndsAt

const isDoubtful = (held: ModelRecord, now: number): boolean =>
  (held.state === 'in_flight' && now >= held.leaseEndsAt) ||
  (held.state === 'failed' && held.inDoubt)

const sameResult = (one: ModelRecord, other: ModelRecord | undefined): boolean =>
  one.state === 'completed' &&
  other?.state === 'completed' &&
  one.token === other.token &&
  one.attempt === other.attempt &&
  Buffer.compare(one.result, other.result) === 0

/** The whole of a record, as it would be if nothing had touched it. */
const isUntouched = (held: ModelRecord | undefined, next: ModelRecord | undefined): boolean =>
  JSON.stringify(held) === JSON.stringify(next)

export const invariants: readonly Invariant[] = [
  {
    invariant: 'one winner: while a lease is live, nobody else acquires',
    isKept: ({ held, now, ...asked }, step) =>
      !(asked.verb === 'acquire' && isHeld(held, now) && held?.token !== asked.claim.token) ||
      !isAcquired(step),
  },
  {
    invariant: 'whoever acquires bears the one token that the record takes writes from',
    isKept: (asked, step) =>
      !isAcquired(step) || (step.next?.state === 'in_flight' && step.next.token === tokenOf(asked)),
  },
  {
    invariant: 'a writer that lost its lease changes nothing',
    isKept: (asked, { next, answer }) =>
      asked.verb === 'acquire' ||
      asked.held?.token === asked.write.token ||
      (isUntouched(asked.held, next) && answer !== 'ok'),
  },
  {
    invariant: 'the attempt only grows while the record lives',
    isKept: ({ held }, { next }) => !held || !next || next.attempt >= held.attempt,
  },
  {
    invariant: 'an acquisition that takes the record from another token is another attempt',
    isKept: ({ held }, { next }) =>
      !held || !next || held.token === next.token || next.attempt === held.attempt + 1,
  },
  {
    invariant: 'a completed result never changes',
    isKept: ({ held }, { next }) => held?.state !== 'completed' || sameResult(held, next),
  },
  {
    invariant: 'a replay never moves the expiry',
    isKept: ({ held }, { next }) => held?.state !== 'completed' || next?.endsAt === held.endsAt,
  },
  {
    invariant: 'what exists is answered as it stands',
    isKept: ({ held }, { next, answer }) =>
      !(typeof answer === 'object' && answer.kind === 'exists') ||
      (answer.record.state === held?.state && isUntouched(held, next)),
  },
  {
    invariant: 'a mismatch wins over in flight, and over the own token',
    isKept: ({ held, ...asked }, step) =>
      !(asked.verb === 'acquire' && held && held.fingerprint !== asked.claim.fingerprint) ||
      !isAcquired(step),
  },
  {
    invariant: 'what is in doubt never runs again without takeover',
    isKept: ({ held, now, ...asked }, step) =>
      !(asked.verb === 'acquire' && held && isDoubtful(held, now) && !asked.claim.takeover) ||
      !isAcquired(step) ||
      held.token === asked.claim.token,
  },
  {
    invariant: 'a renewal never shortens the life of the record',
    isKept: ({ held, ...asked }, { next }) =>
      !(asked.verb === 'write' && asked.write.verb === 'renew' && held) ||
      (next !== undefined && next.endsAt >= held.endsAt),
  },
  {
    invariant: 'what is acknowledged is what stands',
    isKept: (asked, { next, answer }) =>
      asked.verb === 'acquire' || answer !== 'ok' || stateAfter[asked.write.verb] === next?.state,
  },
  {
    invariant: 'progress outlives failure and takeover',
    isKept: ({ held }, { next }) =>
      held?.progress === undefined ||
      next === undefined ||
      next.state === 'completed' ||
      next.progress !== undefined,
  },
]

const stateAfter = {
  renew: 'in_flight',
  complete: 'completed',
  fail: 'failed',
  release: undefined,
} as const

/** Throws where a step breaks one. */
export const holdInvariants = (asked: Asked, step: Step): void => {
  for (const { invariant, isKept } of invariants)
    if (!isKept(asked, step)) throw new Error(`Broken: ${invariant}`)
}
