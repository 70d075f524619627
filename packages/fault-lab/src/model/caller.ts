/** How an execution is to end. */
export type Ending = 'complete' | 'fail' | 'fail in doubt' | 'release'

/**
 * What a caller believes, and whether the record still bears its token. `own` is no belief of the caller's: it hears of
 * it with an answer. One that was answered, gave up or crashed is idle, and begins again under a new token.
 */
export type Phase = { readonly kind: 'idle' } | (Task & Bearing)

/** What it is at. */
export type Task =
  | { readonly kind: 'asking' | 'holding' }
  | { readonly kind: 'writing'; readonly ending: Ending }
  /** It was told that the record is gone, and claims it again under the token that it has. */
  | { readonly kind: 'claiming again'; readonly goal: 'hold' | Ending }

/** For which key and request it is. */
export interface Bearing {
  readonly key: 0 | 1
  readonly fingerprint: 0 | 1
  readonly own: boolean
}

/** A call that nobody waits for any more, which may still arrive: of a caller that crashed, or sent twice. */
export type LateCall = SentCall & {
  readonly key: 0 | 1
  /** The token of the caller as it is now, or one that it has left behind. */
  readonly token: 'same' | { readonly own: boolean }
}

/** A call without its durations: they matter where it arrives. */
export type SentCall =
  | { readonly verb: 'acquire'; readonly fingerprint: 0 | 1; readonly takeover: boolean }
  | { readonly verb: 'renew'; readonly marks: boolean }
  | { readonly verb: 'complete' | 'release' }
  | { readonly verb: 'fail'; readonly inDoubt: boolean }

/** A caller, with at most one late call. */
export interface Caller {
  readonly phase: Phase
  readonly late: LateCall | undefined
}

export const idle: Caller = { phase: { kind: 'idle' }, late: undefined }

/** Whether the record of a key bears a token of the caller's. */
export const owns = ({ phase, late }: Caller, key: number): boolean =>
  (phase.kind !== 'idle' && phase.key === key && phase.own) ||
  (late?.key === key && late.token !== 'same' && late.token.own)

/** The record of a key bears no token of the caller's any more. */
export const disowned = ({ phase, late }: Caller, key: number): Caller => ({
  phase: phase.kind !== 'idle' && phase.key === key ? { ...phase, own: false } : phase,
  late: late?.key === key && late.token !== 'same' ? { ...late, token: { own: false } } : late,
})

/** The caller is idle, and forgets its token. A late call of its bears it still. */
export const forgotten = ({ phase, late }: Caller): Caller => ({
  phase: { kind: 'idle' },
  late:
    late?.token === 'same' ? { ...late, token: { own: phase.kind !== 'idle' && phase.own } } : late,
})

const exchanged = <Holder extends object>(holder: Holder, key: number): Holder =>
  'fingerprint' in holder && 'key' in holder && holder.key === key
    ? { ...holder, fingerprint: holder.fingerprint === 0 ? 1 : 0 }
    : holder

const moved = <Holder extends object>(holder: Holder): Holder =>
  'key' in holder ? { ...holder, key: holder.key === 0 ? 1 : 0 } : holder

/** The same caller where the fingerprints of a key are exchanged. */
export const withOtherFingerprints = ({ phase, late }: Caller, key: number): Caller => ({
  phase: exchanged(phase, key),
  late: late && exchanged(late, key),
})

/** The same caller where the keys are exchanged. */
export const withOtherKeys = ({ phase, late }: Caller): Caller => ({
  phase: moved(phase),
  late: late && moved(late),
})

/** Numbers callers as they are met. */
export const callerNumbers = () => {
  const numbers = new Map<string, number>()
  const callers: Caller[] = []
  const numberOf = (caller: Caller): number => {
    const sorted = (holder: object | undefined) => holder && Object.entries(holder).sort()
    const name = JSON.stringify([sorted(caller.phase), sorted(caller.late)])
    const known = numbers.get(name)
    if (known !== undefined) return known
    numbers.set(name, callers.length)
    return callers.push(caller) - 1
  }
  return { numberOf, callers }
}
