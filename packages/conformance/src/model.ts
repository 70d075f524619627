import type {
  Acquisition,
  Claim,
  CompleteTerms,
  FailTerms,
  IdempotencyRecord,
  RenewTerms,
  WriteResult,
} from '@retrysafe/core'

/**
 * What the model remembers of one key; `undefined` is absent. Instants are milliseconds on the model's clock.
 * Past `endsAt` the record is absent, whether or not anything removed it.
 */
export type ModelRecord = {
  readonly fingerprint: string
  readonly attempt: number
  readonly token: string
  readonly progress?: Uint8Array
  readonly endsAt: number
} & (
  | {
      readonly state: 'in_flight'
      readonly after: 'nothing' | 'failed' | 'abandoned'
      readonly leaseEndsAt: number
    }
  | { readonly state: 'completed'; readonly result: Uint8Array }
  | { readonly state: 'failed'; readonly inDoubt: boolean }
)

/** A write under the token of whoever believes to hold the lease. */
export type ModelWrite = { readonly token: string } & (
  | ({ readonly verb: 'renew' } & RenewTerms)
  | ({ readonly verb: 'complete' } & CompleteTerms)
  | ({ readonly verb: 'fail' } & FailTerms)
  | { readonly verb: 'release' }
)

/** What a key holds after a command, and what the command answers. */
export interface ModelStep<Answer> {
  readonly next: ModelRecord | undefined
  readonly answer: Answer
}

/** The machine of the contract, section 1, for one key: state, command and time in, state and answer out. */
export interface Model {
  acquire(held: ModelRecord | undefined, claim: Claim, now: number): ModelStep<Acquisition>
  write(held: ModelRecord | undefined, write: ModelWrite, now: number): ModelStep<WriteResult>
  read(held: ModelRecord | undefined, now: number): IdempotencyRecord | undefined
}

type InFlight = Extract<ModelRecord, { state: 'in_flight' }>

const present = (held: ModelRecord | undefined, now: number): ModelRecord | undefined =>
  held && now < held.endsAt ? held : undefined

const carried = (progress: Uint8Array | undefined) => (progress ? { progress } : {})

const shown = (held: ModelRecord, now: number): IdempotencyRecord => {
  const { fingerprint, attempt, token, progress } = held
  const shared = { fingerprint, attempt, token }
  switch (held.state) {
    case 'in_flight': {
      const leaseRemainingMs = Math.max(0, held.leaseEndsAt - now)
      return { ...shared, state: 'in_flight', leaseRemainingMs, ...carried(progress) }
    }
    case 'completed':
      return {
        ...shared,
        state: 'completed',
        result: held.result,
        remainingMs: held.endsAt - now,
      }
    case 'failed':
      return {
        ...shared,
        state: 'failed',
        inDoubt: held.inDoubt,
        remainingMs: held.endsAt - now,
        ...carried(progress),
      }
  }
}

const acquired = (held: InFlight): ModelStep<Acquisition> => ({
  next: held,
  answer: {
    kind: 'acquired',
    attempt: held.attempt,
    after: held.after,
    ...carried(held.progress),
  },
})

const begun = (
  claim: Claim,
  now: number,
  before: Pick<InFlight, 'attempt' | 'after' | 'progress'>,
): InFlight => ({
  ...before,
  state: 'in_flight',
  fingerprint: claim.fingerprint,
  token: claim.token,
  leaseEndsAt: now + claim.leaseMs,
  endsAt: now + Math.max(claim.leaseMs, claim.retentionMs),
})

const acquire: Model['acquire'] = (stored, claim, now) => {
  const held = present(stored, now)
  if (!held) return acquired(begun(claim, now, { attempt: 1, after: 'nothing' }))

  const asItStands: ModelStep<Acquisition> = {
    next: held,
    answer: { kind: 'exists', record: shown(held, now) },
  }
  // Before the token: a mismatch is one for the holder too.
  if (held.fingerprint !== claim.fingerprint) return asItStands

  const again = (after: 'failed' | 'abandoned') =>
    acquired(begun(claim, now, { attempt: held.attempt + 1, after, ...carried(held.progress) }))
  switch (held.state) {
    case 'in_flight':
      if (held.token === claim.token) return acquired(held)
      return now >= held.leaseEndsAt && claim.takeover ? again('abandoned') : asItStands
    case 'failed':
      return !held.inDoubt || claim.takeover ? again('failed') : asItStands
    case 'completed':
      return asItStands
  }
}

const write: Model['write'] = (stored, asked, now) => {
  const held = present(stored, now)
  if (!held) return { next: undefined, answer: 'gone' }
  if (held.token !== asked.token) return { next: held, answer: 'stale' }
  if (held.state !== 'in_flight')
    return { next: held, answer: isSameWrite(held, asked) ? 'ok' : 'stale' }
  return { next: written(held, asked, now), answer: 'ok' }
}

const isSameWrite = (held: Exclude<ModelRecord, InFlight>, asked: ModelWrite): boolean =>
  held.state === 'completed'
    ? asked.verb === 'complete' && Buffer.compare(held.result, asked.result) === 0
    : asked.verb === 'fail' && asked.inDoubt === held.inDoubt

const written = (held: InFlight, asked: ModelWrite, now: number): ModelRecord | undefined => {
  const { fingerprint, attempt, token, progress } = held
  const shared = { fingerprint, attempt, token }
  switch (asked.verb) {
    case 'renew': {
      const leaseEndsAt = now + asked.leaseMs
      const endsAt = Math.max(held.endsAt, leaseEndsAt)
      return { ...held, leaseEndsAt, endsAt, ...carried(asked.progress) }
    }
    case 'complete': {
      const { result, retentionMs } = asked
      return { ...shared, state: 'completed', result, endsAt: now + retentionMs }
    }
    case 'fail': {
      const { inDoubt, retentionMs } = asked
      const endsAt = now + retentionMs
      return { ...shared, state: 'failed', inDoubt, endsAt, ...carried(progress) }
    }
    case 'release':
      return undefined
  }
}

/** The model that `storeGuarantees` compares stores with. Obvious rather than fast. */
export const model: Model = {
  acquire,
  write,
  read: (stored, now) => {
    const held = present(stored, now)
    return held && shown(held, now)
  },
}
