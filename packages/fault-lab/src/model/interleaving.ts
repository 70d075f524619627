import fc from 'fast-check'
import type { Command } from '../../../conformance/src/store/random-command.js'

/** How a record stands before callers come at the same time. */
export const standings = [
  'absent',
  'held',
  'abandoned',
  'completed',
  'failed',
  'failed in doubt',
  'released',
  'forgotten',
] as const
export type Standing = (typeof standings)[number]

/** Two or three callers, each with commands that it gives one after the other. */
export interface Interleaving {
  readonly standing: Standing
  readonly callers: readonly (readonly Command[])[]
}

const minute = 60_000
const first = 'token of the first'

// They tell who has written: what remains of them may be half a second off.
const durations = fc.integer({ min: 1, max: 50 }).map((minutes) => minutes * minute)
const payloads = fc.constantFrom('one', 'two').map((text) => Uint8Array.from(Buffer.from(text)))

const claims = (token: string): fc.Arbitrary<Command> =>
  fc.record({
    verb: fc.constant('acquire' as const),
    claim: fc.record({
      recordKey: fc.constant(''),
      token: fc.constant(token),
      fingerprint: fc.oneof(
        { weight: 7, arbitrary: fc.constant('print') },
        { weight: 1, arbitrary: fc.constant('other') },
      ),
      leaseMs: durations,
      retentionMs: durations,
      takeover: fc.boolean(),
    }),
  })

const writes = (tokens: readonly string[]): fc.Arbitrary<Command> => {
  const token = fc.constantFrom(...tokens)
  return fc
    .oneof(
      fc.record({ verb: fc.constant('renew' as const), token, leaseMs: durations }),
      fc.record({
        verb: fc.constant('renew' as const),
        token,
        leaseMs: durations,
        progress: payloads,
      }),
      fc.record({
        verb: fc.constant('complete' as const),
        token,
        result: payloads,
        retentionMs: durations,
      }),
      fc.record({
        verb: fc.constant('fail' as const),
        token,
        inDoubt: fc.boolean(),
        retentionMs: durations,
      }),
      fc.record({ verb: fc.constant('release' as const), token }),
    )
    .map((write) => ({ verb: 'write' as const, write }))
}

/** A caller claims with its own token, and writes with that, or as if it were the one before. */
const programs = (caller: number): fc.Arbitrary<Command[]> => {
  const own = `token ${caller}`
  return fc.array(fc.oneof(claims(own), writes([own, own, first])), { minLength: 1, maxLength: 3 })
}

export const interleavings: fc.Arbitrary<Interleaving> = fc.record({
  standing: fc.constantFrom(...standings),
  callers: fc
    .integer({ min: 2, max: 3 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, caller) => programs(caller)))),
})

/** The instant at which callers come, where time has to pass before it. */
export const comesAt = 20

/** What is done before, and what time passes after it. */
export const prelude = (standing: Standing): { commands: readonly Command[]; passMs: number } => {
  const claim = (leaseMs: number, retentionMs: number): Command => ({
    verb: 'acquire',
    claim: {
      recordKey: '',
      token: first,
      fingerprint: 'print',
      leaseMs,
      retentionMs,
      takeover: false,
    },
  })
  const held = claim(55 * minute, 55 * minute)
  const fails = (inDoubt: boolean): Command => ({
    verb: 'write',
    write: { verb: 'fail', token: first, inDoubt, retentionMs: 55 * minute },
  })
  const completes = (retentionMs: number): Command => ({
    verb: 'write',
    write: { verb: 'complete', token: first, result: Uint8Array.of(9), retentionMs },
  })
  switch (standing) {
    case 'absent':
      return { commands: [], passMs: 0 }
    case 'held':
      return { commands: [held], passMs: 0 }
    case 'abandoned':
      return { commands: [claim(1, 55 * minute)], passMs: comesAt }
    case 'completed':
      return { commands: [held, completes(55 * minute)], passMs: 0 }
    case 'failed':
      return { commands: [held, fails(false)], passMs: 0 }
    case 'failed in doubt':
      return { commands: [held, fails(true)], passMs: 0 }
    case 'released':
      return {
        commands: [held, { verb: 'write', write: { verb: 'release', token: first } }],
        passMs: 0,
      }
    case 'forgotten':
      return { commands: [held, completes(1)], passMs: comesAt }
  }
}
