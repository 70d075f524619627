import {
  type Bearing,
  type Caller,
  disowned,
  type Ending,
  forgotten,
  type LateCall,
  type SentCall,
  type Task,
} from './caller.js'
import type { Call, RecordStep, RecordSteps } from './record-steps.js'

/** Something that a caller does, or that the network does to it. */
export interface Move {
  readonly label: string
  readonly caller: Caller
  /** What the record of the key becomes, and whose token stands; undefined where no call arrives. */
  readonly arrives: (RecordStep & { readonly key: 0 | 1 }) | undefined
}

export interface MoveTerms {
  readonly steps: RecordSteps
  readonly keys: 1 | 2
  /** Whether holders may mark their progress. */
  readonly progress: boolean
  /** Whether calls may come late, or twice. */
  readonly lateCalls: boolean
}

type Busy = Task & Bearing

const endings = ['complete', 'fail', 'fail in doubt', 'release'] as const
const both = [false, true] as const
const either = [0, 1] as const

const callOf = (ending: Ending): Extract<SentCall, Call> => {
  switch (ending) {
    case 'fail':
      return { verb: 'fail', inDoubt: false }
    case 'fail in doubt':
      return { verb: 'fail', inDoubt: true }
    default:
      return { verb: ending }
  }
}

const claims = (fingerprint: 0 | 1, takeover: boolean): Call[] =>
  both.map((outlives) => ({ verb: 'acquire', fingerprint, takeover, outlives }))

const renewals = (marks: boolean): Call[] =>
  both.map((isLong) => ({ verb: 'renew', marks, isLong }))

/** What a caller may have under way: an answer that is lost leaves the call to come again, or late. */
const underWay = (phase: Busy, marking: readonly boolean[]): SentCall[] => {
  switch (phase.kind) {
    case 'asking':
      return both.map((takeover) => ({ verb: 'acquire', fingerprint: phase.fingerprint, takeover }))
    case 'holding':
      return marking.map((marks) => ({ verb: 'renew', marks }))
    case 'writing':
      return [callOf(phase.ending)]
    case 'claiming again':
      return [{ verb: 'acquire', fingerprint: phase.fingerprint, takeover: false }]
  }
}

const callsOf = (late: LateCall): Call[] => {
  switch (late.verb) {
    case 'acquire':
      return claims(late.fingerprint, late.takeover)
    case 'renew':
      return renewals(late.marks)
    case 'fail':
      return [{ verb: 'fail', inDoubt: late.inDoubt }]
    default:
      return [{ verb: late.verb }]
  }
}

/** The caller after a call under the token that it has: the record bears it then, or does not. */
const afterCall = (caller: Caller, phase: Busy, { token }: RecordStep): Caller => {
  if (token === 'kept') return caller
  const { late } = disowned(caller, phase.key)
  return { phase: { ...phase, own: token === 'own' }, late }
}

/** Everything that a caller may do next, while the record of its key is such. */
export const phaseMoves = (caller: Caller, record: number, terms: MoveTerms): Move[] => {
  const { phase, late } = caller
  const moves: Move[] = []
  const goes = (label: string, to: Caller) => moves.push({ label, caller: to, arrives: undefined })

  if (phase.kind === 'idle') {
    for (const key of either.slice(0, terms.keys))
      for (const fingerprint of either)
        goes('begins', { phase: { kind: 'asking', key, fingerprint, own: false }, late })
    return moves
  }

  const { key, fingerprint } = phase
  const marking = terms.progress ? both : [false]
  const asks = (label: string, calls: Call[], hears: (to: Caller, step: RecordStep) => Caller) => {
    for (const call of calls) {
      const step = terms.steps.step(record, phase.own, call)
      const after = afterCall(caller, phase, step)
      const arrives = { ...step, key }
      moves.push({ label: `${label}, hears ${step.heard}`, caller: hears(after, step), arrives })
      moves.push({ label: `${label}, the answer is lost`, caller: after, arrives })
    }
  }
  const turns = ({ phase: before, late: left }: Caller, task: Task): Caller => {
    const own = before.kind !== 'idle' && before.own
    return { phase: { ...task, key, fingerprint, own }, late: left }
  }

  switch (phase.kind) {
    case 'asking':
      for (const takeover of both)
        asks(
          takeover ? 'asks with takeover' : 'asks',
          claims(fingerprint, takeover),
          (to, { heard }) => (heard === 'exists' ? forgotten(to) : turns(to, { kind: 'holding' })),
        )
      goes('gives up, and releases', turns(caller, { kind: 'writing', ending: 'release' }))
      break
    case 'holding':
      for (const marks of marking)
        asks(marks ? 'marks' : 'renews', renewals(marks), (to, { heard }) => {
          if (heard === 'gone') return turns(to, { kind: 'claiming again', goal: 'hold' })
          return heard === 'ok' ? to : forgotten(to)
        })
      for (const ending of endings)
        goes(`is to ${ending}`, turns(caller, { kind: 'writing', ending }))
      break
    case 'writing': {
      const { ending } = phase
      // The record is claimed again by the ending itself, and by nobody beside it.
      asks('renews while it ends', renewals(false), (to, { heard }) =>
        heard === 'stale' ? forgotten(to) : to,
      )
      asks(`is to ${ending}, writes`, [callOf(ending)], (to, { heard }) =>
        heard === 'gone' && ending !== 'release'
          ? turns(to, { kind: 'claiming again', goal: ending })
          : forgotten(to),
      )
      break
    }
    case 'claiming again': {
      const { goal } = phase
      asks('claims again', claims(fingerprint, false), (to, { heard }) => {
        if (heard === 'exists') return forgotten(to)
        // Somebody was faster, and has failed: the attempt is given back.
        if (heard !== 'acquired') return turns(to, { kind: 'writing', ending: 'fail' })
        return turns(to, goal === 'hold' ? { kind: 'holding' } : { kind: 'writing', ending: goal })
      })
      break
    }
  }
  goes('crashes', forgotten(caller))
  if (terms.lateCalls && !late)
    for (const call of underWay(phase, marking))
      goes(`leaves ${call.verb} under way`, {
        phase,
        late: { ...call, key, token: 'same' },
      })
  return moves
}

/** What may become of a late call of a caller's, while the record that it is about is such. */
export const lateMoves = (caller: Caller, record: number, { steps }: MoveTerms): Move[] => {
  const { phase, late } = caller
  if (!late) return []
  const { key } = late
  const lost: Move = {
    label: `its late ${late.verb} is lost`,
    caller: { phase, late: undefined },
    arrives: undefined,
  }
  const isOwn = late.token === 'same' ? phase.kind !== 'idle' && phase.own : late.token.own
  const arrivals = callsOf(late).map((call): Move => {
    const step = steps.step(record, isOwn, call)
    const without: Caller = { phase, late: undefined }
    const after =
      late.token === 'same' && phase.kind !== 'idle'
        ? afterCall(without, phase, step)
        : step.token === 'kept'
          ? without
          : disowned(without, key)
    return {
      label: `its late ${late.verb} arrives, answered ${step.heard}`,
      caller: after,
      arrives: { ...step, key },
    }
  })
  return [lost, ...arrivals]
}
