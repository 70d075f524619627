/** What work does once it runs; one that hangs ends when it is told to. */
export const behaviours = [
  'returns',
  'throws',
  'says fail and returns',
  'says fail and throws',
  'says release and returns',
  'says release and throws',
  'marks effects and throws',
  'hangs',
  'marks effects and hangs',
] as const
export type Behaviour = (typeof behaviours)[number]

export interface ModelTerms {
  readonly leaseMs: number
  readonly maxRunMs: number
  readonly retentionMs: number
  readonly doubtRetentionMs: number
  readonly onDoubt: 'run-again' | 'reject'
}

export interface ModelRun {
  readonly id: number
  readonly process: number
  readonly key: number
  readonly payload: number
  readonly behaviour: Behaviour
}

/** What a caller is told: the value of a run, by its number, its own error, or a refusal. */
export type Told =
  | { readonly value: number }
  | { readonly error: 'own' }
  | { readonly error: string; readonly retryAfterMs?: number }

/** How a run has gone: refused, or executed as a certain attempt; `told` as soon as it has ended. */
export interface ModelOutcome {
  readonly attempt: number | undefined
  readonly after: 'nothing' | 'failed' | 'abandoned' | undefined
  told: Told | undefined
}

interface Held {
  readonly owner: number
  readonly payload: number
  readonly attempt: number
  readonly claimedAt: number
  marked: boolean
  /** When its process died, if it has. */
  diedAt: number
  ended?: { readonly endsAt: number } & (
    | { readonly kind: 'completed'; readonly value: number | undefined }
    | { readonly kind: 'failed'; readonly inDoubt: boolean }
  )
}

type Say = 'complete' | 'fail' | 'release' | undefined

/**
 * The engine as its callers see it, made from the contract alone: no tokens, no retries, no timers. A lease is
 * not renewed but computed: a live holder renews every third of it, until `maxRunMs`.
 */
export const engineModel = (terms: ModelTerms) => {
  const { leaseMs, maxRunMs, retentionMs, doubtRetentionMs, onDoubt } = terms
  const doubtMs = onDoubt === 'reject' ? Math.max(retentionMs, doubtRetentionMs) : retentionMs
  const records = new Map<number, Held>()
  const runs = new Map<number, ModelRun & { readonly marked: boolean }>()
  const outcomes: ModelOutcome[] = []

  const leaseEndsAt = ({ claimedAt, diedAt }: Held, now: number): number => {
    const third = leaseMs / 3
    const renewals = Math.min(
      Math.floor((Math.min(now, diedAt) - claimedAt) / third),
      Math.ceil(maxRunMs / third) - 1,
    )
    return claimedAt + renewals * third + leaseMs
  }
  const standing = (key: number, now: number): Held | undefined => {
    const held = records.get(key)
    if (held === undefined) return undefined
    const endsAt =
      held.ended?.endsAt ??
      Math.max(held.claimedAt + Math.max(leaseMs, doubtMs), leaseEndsAt(held, now))
    return now < endsAt ? held : undefined
  }

  const execute = (run: ModelRun, before: Held | undefined, now: number): void => {
    const attempt = (before?.attempt ?? 0) + 1
    const after = before === undefined ? 'nothing' : before.ended ? 'failed' : 'abandoned'
    const marked = run.behaviour.startsWith('marks') || (before?.marked ?? false)
    records.set(run.key, claimed(run, attempt, marked, now))
    runs.set(run.id, { ...run, marked })
    outcomes[run.id] = { attempt, after, told: undefined }
    if (run.behaviour.endsWith('hangs')) return
    end(run.id, run.behaviour.endsWith('throws') ? 'throws' : 'returns', now)
  }

  const claimed = (run: ModelRun, attempt: number, marked: boolean, now: number): Held => ({
    owner: run.id,
    payload: run.payload,
    attempt,
    claimedAt: now,
    marked,
    diedAt: Number.POSITIVE_INFINITY,
  })

  const run = (given: ModelRun, now: number): void => {
    const held = standing(given.key, now)
    const told = held && refusalOf(given, held, now)
    if (told === undefined) execute(given, held, now)
    else outcomes[given.id] = { attempt: undefined, after: undefined, told }
  }

  /** What a caller is told instead of running; `undefined` where it runs. */
  const refusalOf = ({ payload }: ModelRun, held: Held, now: number): Told | undefined => {
    if (held.payload !== payload) return { error: 'key-reused' }
    if (held.ended?.kind === 'completed') return toldOf(held.ended.value)
    const leftMs = leaseEndsAt(held, now) - now
    if (held.ended === undefined && leftMs > 0) {
      return { error: 'request-in-flight', retryAfterMs: Math.min(1_000, leftMs) }
    }
    const isDoubtful = held.ended === undefined || held.ended.inDoubt
    return isDoubtful && onDoubt === 'reject' ? { error: 'outcome-unknown' } : undefined
  }

  const toldOf = (value: number | undefined): Told =>
    value === undefined ? { error: 'response-not-stored' } : { value }

  /** The work of a run has ended. */
  const end = (id: number, how: 'returns' | 'throws', now: number): void => {
    const ended = runs.get(id)
    const outcome = outcomes[id]
    if (ended === undefined || outcome === undefined) throw new Error(`run ${id} is not running`)
    runs.delete(id)
    const { behaviour, key, marked } = ended
    const said: Say = behaviour.includes('says fail')
      ? 'fail'
      : behaviour.includes('says release')
        ? 'release'
        : marked
          ? 'complete'
          : undefined
    const keep = said ?? (how === 'returns' ? 'complete' : 'fail')

    const held = standing(key, now)
    const isOurs = held === undefined || held.owner === id
    if (isOurs && keep === 'release') records.delete(key)
    if (isOurs && keep !== 'release') {
      // A record that has gone is claimed again; what it knew of earlier attempts went with it.
      const ours = held ?? claimed(ended, 1, false, now)
      records.set(key, ours)
      if (keep === 'complete') {
        const value = how === 'returns' ? id : undefined
        ours.ended = { kind: 'completed', value, endsAt: now + retentionMs }
      } else {
        const inDoubt = how === 'throws' && onDoubt === 'reject' && said !== 'fail'
        ours.ended = { kind: 'failed', inDoubt, endsAt: now + (inDoubt ? doubtMs : retentionMs) }
      }
    }
    if (how === 'throws') outcome.told = { error: 'own' }
    else if (isOurs) outcome.told = { value: id }
    // What stands is told to the same request alone: the record may have gone, and the key been used for another.
    else if (held.ended?.kind === 'completed' && held.payload === ended.payload)
      outcome.told = toldOf(held.ended.value)
    else outcome.told = { error: 'request-in-flight', retryAfterMs: 1_000 }
  }

  return {
    run,
    end,
    /** A process dies: what runs in it never ends, and nothing of it arrives any more. */
    crash: (process: number, now: number): void => {
      for (const [id, dying] of runs) {
        if (dying.process !== process) continue
        runs.delete(id)
        const held = records.get(dying.key)
        if (held?.owner === id) held.diedAt = now
      }
    },
    /** The runs whose work has not ended, in the order of their start. */
    running: (): number[] => [...runs.keys()],
    outcome: (id: number): ModelOutcome | undefined => outcomes[id],
  }
}
