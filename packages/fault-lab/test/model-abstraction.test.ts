import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type ModelRecord, model } from '../../conformance/src/model.js'
import {
  abstracted,
  concrete,
  fingerprints,
  instants,
  numberOf,
  progress,
  records,
  result,
} from '../src/model/abstract-record.js'
import type { SentCall } from '../src/model/caller.js'
import { type Call, recordSteps } from '../src/model/record-steps.js'

// Few, so that instants meet.
const durations = fc.integer({ min: 1, max: 8 })
const marks = fc.option(fc.constant({ progress }), { nil: {} })

const anyRecord: fc.Arbitrary<ModelRecord> = fc
  .record({
    fingerprint: fc.constantFrom(...fingerprints),
    attempt: fc.integer({ min: 1, max: 9 }),
    token: fc.constantFrom('own token', 'token of another'),
    marked: marks,
    leaseEndsAt: durations,
    life: durations,
    state: fc.constantFrom('in_flight', 'completed', 'failed'),
    after: fc.constantFrom('failed', 'abandoned'),
    inDoubt: fc.boolean(),
  })
  .map(({ state, marked, leaseEndsAt, life, after, inDoubt, ...shared }) => {
    switch (state) {
      case 'completed':
        return { ...shared, endsAt: life, state, result }
      case 'failed':
        return { ...shared, ...marked, endsAt: life, state, inDoubt }
      default: {
        const begun = shared.attempt === 1 ? 'nothing' : after
        const endsAt = Math.max(leaseEndsAt, life)
        return { ...shared, ...marked, endsAt, state: 'in_flight', leaseEndsAt, after: begun }
      }
    }
  })

const anyCall: fc.Arbitrary<SentCall> = fc.oneof(
  fc.record({
    verb: fc.constant('acquire' as const),
    fingerprint: fc.constantFrom(0 as const, 1 as const),
    takeover: fc.boolean(),
  }),
  fc.record({ verb: fc.constant('renew' as const), marks: fc.boolean() }),
  fc.record({ verb: fc.constantFrom('complete' as const, 'release' as const) }),
  fc.record({ verb: fc.constant('fail' as const), inDoubt: fc.boolean() }),
)

/** What the enumeration thinks the call can come to, with every choice that durations make. */
const expected = (held: ModelRecord, call: SentCall, now: number) =>
  [false, true].map((choice) => {
    const { next, heard } = recordSteps(model).step(
      numberOf(abstracted(held, now)),
      held.token === 'own token',
      withChoice(call, choice),
    )
    return { next, heard }
  })

const withChoice = (call: SentCall, choice: boolean): Call => {
  switch (call.verb) {
    case 'acquire':
      return { ...call, outlives: choice }
    case 'renew':
      return { ...call, isLong: choice }
    default:
      return call
  }
}

it('takes every step that the model takes, whatever the instants and durations', () => {
  fc.assert(
    fc.property(anyRecord, anyCall, durations, durations, durations, (held, call, ...times) => {
      const [now, leaseMs, retentionMs] = times
      const token = 'own token'
      const step = () => {
        if (call.verb !== 'acquire') {
          const terms =
            call.verb === 'renew' ? { leaseMs, ...(call.marks ? { progress } : {}) } : {}
          const write = { result, retentionMs, ...call, ...terms, token }
          return model.write(held, write as Parameters<typeof model.write>[1], now)
        }
        const fingerprint = fingerprints[call.fingerprint]
        const claim = { recordKey: 'key', token, leaseMs, retentionMs, ...call, fingerprint }
        return model.acquire(held, claim, now)
      }
      const { next, answer } = step()
      const heard =
        typeof answer === 'string'
          ? answer
          : answer.kind === 'exists'
            ? 'exists'
            : answer.after === 'nothing'
              ? 'acquired'
              : 'acquired after another'
      expect(expected(held, call, now)).toContainEqual({
        next: numberOf(abstracted(next, now)),
        heard,
      })
    }),
    { numRuns: 5_000 },
  )
})

it('lets time pass as it does for the model', () => {
  const { pass } = recordSteps(model)
  fc.assert(
    fc.property(anyRecord, (held) => {
      const met = [0]
      for (let now = held.endsAt; now >= 0; now--) {
        const number = numberOf(abstracted(held, now))
        if (number !== met[0]) met.unshift(number)
      }
      const passed = met.slice(0, 1)
      while (passed.at(-1) && passed.length < 9) passed.push(pass(passed.at(-1) as number).next)
      expect(passed).toEqual(met)
    }),
  )
})

it('stands for what it was made of', () => {
  for (const record of records)
    if (record) expect(abstracted(concrete(record, 'token'), instants.now)).toEqual(record)
})
