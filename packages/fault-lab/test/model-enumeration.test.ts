import { describe, expect, it } from 'vitest'
import { type Model, type ModelRecord, model } from '../../conformance/src/model.js'
import { idle } from '../src/model/caller.js'
import { canComplete } from '../src/model/can-complete.js'
import { table, timeRows } from '../src/model/contract-table.js'
import { enumerate } from '../src/model/enumerate.js'
import { type RecordStep, recordSteps } from '../src/model/record-steps.js'
import { type Bounds, transitions } from '../src/model/transitions.js'
import type { World } from '../src/model/world-names.js'

const small: Bounds = { keys: 1, callers: 2, lateCalls: 0, progress: false }

describe('The machine', () => {
  it.each<[Bounds, number, number]>([
    [{ ...small, callers: 3 }, 52_116, 829_244],
    [{ ...small, callers: 1, lateCalls: 1 }, 4_047, 38_699],
    [{ ...small, keys: 2 }, 233_789, 3_375_172],
  ])('keeps every invariant in every state of %j', (bounds, states, count) => {
    const met = enumerate(bounds)
    expect([met.states, met.transitions]).toEqual([states, count])
    const rows = [...table.map(({ row }) => row), ...Object.values(timeRows)]
    expect([...met.rows.keys()].sort()).toEqual(rows.sort())
  })

  it('has as many states without the renaming as its states stand for', () => {
    const { each, numbering } = transitions(small, model)
    const nobody = numbering.numberOf(idle)
    const met = new Set<string>()
    const waiting: World[] = []
    const visit = (records: ArrayLike<number>, [one, other]: readonly number[]): void => {
      const name = `${records[0]} ${one} ${other}`
      if (met.has(name)) return
      met.add(name)
      waiting.push({ records: [records[0] as number], callers: [one as number, other as number] })
    }
    visit([0], [nobody, nobody])
    for (let world = waiting.pop(); world; world = waiting.pop()) {
      const { records, callers } = world
      each(world, (_, __, next) => visit(next.records, Array.from(next.callers)))
      // Of two that are alike one is asked: the other moves where the places are exchanged.
      each({ records, callers: Array.from(callers).reverse() }, (_, __, next) =>
        visit(next.records, Array.from(next.callers).reverse()),
      )
    }
    expect(met.size).toBe(enumerate(small).namedStates)
  })
})

const spoiling =
  (spoil: (next: ModelRecord, before: ModelRecord | undefined, now: number) => ModelRecord) =>
  <Step extends { readonly next: ModelRecord | undefined }>(
    step: Step,
    before: ModelRecord | undefined,
    now: number,
  ): Step =>
    step.next ? { ...step, next: spoil(step.next, before, now) } : step

const wrongRecord = (...spoilt: Parameters<typeof spoiling>): Partial<Model> => {
  const spoil = spoiling(...spoilt)
  return {
    acquire: (held, claim, now) => spoil(model.acquire(held, claim, now), held, now),
    write: (held, write, now) => spoil(model.write(held, write, now), held, now),
  }
}

const broken: Record<string, [string, Partial<Model>]> = {
  'does not ask whose token it is': [
    'a writer that lost its lease changes nothing',
    {
      write: (held, write, now) => model.write(held && { ...held, token: write.token }, write, now),
    },
  ],
  'lets others take a lease that is live': [
    'one winner: while a lease is live, nobody else acquires',
    {
      acquire: (held, claim, now) =>
        model.acquire(
          held?.state === 'in_flight' && held.token !== claim.token && claim.takeover
            ? { ...held, leaseEndsAt: now }
            : held,
          claim,
          now,
        ),
    },
  ],
  'leaves the record to the token before': [
    'whoever acquires bears the one token that the record takes writes from',
    wrongRecord((next, before) => ({ ...next, token: before?.token ?? next.token })),
  ],
  'begins to count again': [
    'the attempt only grows while the record lives',
    wrongRecord((next) => (next.state === 'failed' ? { ...next, attempt: 1 } : next)),
  ],
  'does not count an attempt': [
    'an acquisition that takes the record from another token is another attempt',
    wrongRecord((next, before) => ({ ...next, attempt: before?.attempt ?? 1 })),
  ],
  'renews what is completed': [
    'a completed result never changes',
    {
      write: (held, write, now) =>
        held?.state === 'completed' && held.token === write.token && write.verb === 'renew'
          ? { next: { ...held, state: 'failed', inDoubt: true }, answer: 'ok' }
          : model.write(held, write, now),
    },
  ],
  'keeps longer what it replays': [
    'a replay never moves the expiry',
    wrongRecord((next) =>
      next.state === 'completed' ? { ...next, endsAt: next.endsAt + 1 } : next,
    ),
  ],
  'keeps longer what it only shows': [
    'what exists is answered as it stands',
    {
      acquire: (held, claim, now) => {
        const { next, answer } = model.acquire(held, claim, now)
        const isShown = answer.kind === 'exists' && next?.state === 'failed'
        return { next: isShown ? { ...next, endsAt: next.endsAt + 1 } : next, answer }
      },
    },
  ],
  'asks for the token before the fingerprint': [
    'a mismatch wins over in flight, and over the own token',
    {
      acquire: (held, claim, now) =>
        model.acquire(held, held ? { ...claim, fingerprint: held.fingerprint } : claim, now),
    },
  ],
  'runs again what is in doubt': [
    'what is in doubt never runs again without takeover',
    { acquire: (held, claim, now) => model.acquire(held, { ...claim, takeover: true }, now) },
  ],
  'ends the record with the renewed lease': [
    'a renewal never shortens the life of the record',
    wrongRecord((next, before) =>
      next.state === 'in_flight' && before?.token === next.token
        ? { ...next, endsAt: next.leaseEndsAt }
        : next,
    ),
  ],
  'acknowledges what it does not do': [
    'what is acknowledged is what stands',
    {
      write: (held, write, now) =>
        write.verb === 'release' && held
          ? { next: held, answer: 'ok' }
          : model.write(held, write, now),
    },
  ],
  'forgets progress': [
    'progress outlives failure and takeover',
    wrongRecord((next) => {
      const { progress, ...rest } = next
      return next.state === 'failed' ? rest : next
    }),
  ],
  'answers a write on nothing with stale': [
    'absent: any write',
    {
      write: (held, write, now) => {
        const step = model.write(held, write, now)
        return step.answer === 'gone' ? { ...step, answer: 'stale' } : step
      },
    },
  ],
  'never forgets': [
    'the record lives as long as its lease and its retention',
    { read: (held, now) => model.read(held, Math.min(now, 0)) },
  ],
}

describe('A machine that', () => {
  it.each(Object.entries(broken))('%s is found out', (_, [what, defect]) => {
    expect(() => enumerate({ ...small, progress: true }, { ...model, ...defect })).toThrow(what)
  })

  it('is found out is shown with the way there', () => {
    const [, defect] = broken['does not ask whose token it is'] as [string, Partial<Model>]
    expect(() => enumerate(small, { ...model, ...defect })).toThrow(
      /^Broken: .*\n {2}begins: .*\n[\s\S]*"own":false/,
    )
  })

  it('is stuck is found out', () => {
    const { step, pass } = recordSteps(model)
    const never: RecordStep = { next: 1, token: 'kept', heard: 'exists', row: '' }
    expect(() => canComplete({ step: () => never, pass }, 1)).toThrow('some path ends in completed')
    const standing = (next: number) => ({ next, row: undefined })
    expect(() => canComplete({ step, pass: standing }, 1)).toThrow('some path ends in completed')
  })
})
