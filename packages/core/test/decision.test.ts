import { describe, expect, it } from 'vitest'
import { type Decision, decide } from '../src/decision.js'
import { anyRequest } from '../src/fingerprint.js'
import type { IdempotencyRecord } from '../src/store.js'

const mine = '1:document=a,value=b'
const theirs = '1:value=b'
const another = '1:document=c,value=b'
const unreadable = '2:document=a'
const progress = Uint8Array.of(1, 1)
const result = Uint8Array.of(7)

const inFlight = (fingerprint: string, leaseRemainingMs: number): IdempotencyRecord => ({
  state: 'in_flight',
  fingerprint,
  attempt: 3,
  token: 't',
  leaseRemainingMs,
})
const failed = (fingerprint: string, inDoubt: boolean): IdempotencyRecord => ({
  state: 'failed',
  fingerprint,
  attempt: 3,
  token: 't',
  inDoubt,
  remainingMs: 9,
})
const completed = (fingerprint: string): IdempotencyRecord => ({
  state: 'completed',
  fingerprint,
  attempt: 3,
  token: 't',
  result,
  remainingMs: 9,
})

const replay: Decision = { kind: 'replay', result, attempt: 3 }
const mismatch: Decision = { kind: 'mismatch', attempt: 3 }
const doubt: Decision = { kind: 'doubt', attempt: 3 }
const notReadable: Decision = { kind: 'unreadable' }
const waiting = (retryAfterMs: number): Decision => ({
  kind: 'in-flight',
  retryAfterMs,
  attempt: 3,
})
const again = (fingerprint: string): Decision => ({ kind: 'again', fingerprint, attempt: 3 })

/** What stands, what is decided where doubt runs again, and what where it does not. */
const table: readonly [string, IdempotencyRecord, Decision, Decision][] = [
  ['a completed record is replayed', completed(mine), replay, replay],
  ['a completed record of another form is replayed', completed(theirs), replay, replay],
  ['a completed record of another request is a mismatch', completed(another), mismatch, mismatch],
  [
    'a completed record that cannot be judged is refused',
    completed(unreadable),
    notReadable,
    notReadable,
  ],
  ['a live lease is in flight', inFlight(mine, 5_000), waiting(1_000), waiting(1_000)],
  [
    'a lease that is nearly over is worth asking for sooner',
    inFlight(mine, 300),
    waiting(300),
    waiting(300),
  ],
  ['a live lease of another form is in flight', inFlight(theirs, 1), waiting(1), waiting(1)],
  [
    'a live lease of another request is a mismatch, not in flight',
    inFlight(another, 5_000),
    mismatch,
    mismatch,
  ],
  [
    'a live lease that cannot be judged is refused',
    inFlight(unreadable, 5_000),
    notReadable,
    notReadable,
  ],
  ['an abandoned lease runs again, or is in doubt', inFlight(mine, 0), again(mine), doubt],
  [
    'an abandoned lease of another form is claimed by its own',
    inFlight(theirs, 0),
    again(theirs),
    doubt,
  ],
  ['an abandoned lease of another request is a mismatch', inFlight(another, 0), mismatch, mismatch],
  [
    'an abandoned lease that cannot be judged is refused',
    inFlight(unreadable, 0),
    notReadable,
    notReadable,
  ],
  [
    'a failed record runs again, claimed by its own form',
    failed(theirs, false),
    again(theirs),
    again(theirs),
  ],
  ['a failed record in doubt runs again only by takeover', failed(mine, true), again(mine), doubt],
  ['a failed record of another request is a mismatch', failed(another, false), mismatch, mismatch],
  ['a record in doubt of another request is a mismatch', failed(another, true), mismatch, mismatch],
  [
    'a failed record that cannot be judged is refused',
    failed(unreadable, false),
    notReadable,
    notReadable,
  ],
]

const decided = (record: IdempotencyRecord, takeover: boolean, fingerprint = mine): Decision =>
  decide({ kind: 'exists', record }, { fingerprint, takeover, retryAfterMs: 1_000 })

describe('the decision over what stands', () => {
  it.each(table)('%s', (_, record, withTakeover, withoutTakeover) => {
    expect(decided(record, true)).toEqual(withTakeover)
    expect(decided(record, false)).toEqual(withoutTakeover)
  })

  it('never finds a mismatch where the comparison is off', () => {
    for (const [, record] of table) {
      expect(['mismatch', 'unreadable']).not.toContain(decided(record, true, anyRequest).kind)
    }
  })
})

describe('the decision over a claim that was granted', () => {
  it('is to execute, with all that the store told', () => {
    const acquired = { kind: 'acquired', attempt: 2, after: 'abandoned', progress } as const
    expect(decide(acquired, { fingerprint: mine, takeover: true, retryAfterMs: 1 })).toEqual({
      kind: 'execute',
      attempt: 2,
      after: 'abandoned',
      progress,
    })
  })
})
