import type { Acquisition, WriteResult } from '@retrysafe/core'
import { expect, it } from 'vitest'
import type { Command } from '../../conformance/src/store/random-command.js'
import { type Given, isLinearizable } from '../src/model/linearizable.js'

const acquire = (token: string): Command => ({
  verb: 'acquire',
  claim: {
    recordKey: 'key',
    token,
    fingerprint: 'print',
    leaseMs: 60_000,
    retentionMs: 60_000,
    takeover: false,
  },
})
const release = (token: string): Command => ({ verb: 'write', write: { verb: 'release', token } })

const acquired: Acquisition = { kind: 'acquired', attempt: 1, after: 'nothing' }
const existsFor = (token: string): Acquisition => ({ kind: 'exists', record: standing(token) })
const standing = (token: string) =>
  ({
    state: 'in_flight',
    fingerprint: 'print',
    attempt: 1,
    token,
    leaseRemainingMs: 60_000,
  }) as const

const given = (
  command: Command,
  answer: Acquisition | WriteResult,
  askedAt: number,
  answeredAt: number,
): Given => ({ caller: 0, command, answer, askedAt, answeredAt })

const isExplained = (all: readonly Given[], left?: ReturnType<typeof standing>) =>
  isLinearizable({ before: undefined, given: all, left, now: 0 })

it('finds the order in which answers make sense, whoever asked first', () => {
  const loser = given(acquire('one'), existsFor('other'), 0, 3)
  const winner = given(acquire('other'), acquired, 1, 2)
  expect(isExplained([loser, winner], standing('other'))).toBe(true)
})

it('finds no order for two winners', () => {
  const both = ['one', 'other'].map((token) => given(acquire(token), acquired, 0, 3))
  expect(isExplained(both, standing('other'))).toBe(false)
})

it('takes none in which a command comes before one that had been answered', () => {
  const released = given(release('one'), 'gone', 0, 1)
  expect(isExplained([released, given(acquire('one'), acquired, 2, 3)], standing('one'))).toBe(true)
  const acquiredFirst = given(acquire('one'), acquired, 0, 1)
  expect(isExplained([given(release('one'), 'gone', 2, 3), acquiredFirst], standing('one'))).toBe(
    false,
  )
  expect(isExplained([given(release('one'), 'gone', 0, 3), acquiredFirst], standing('one'))).toBe(
    true,
  )
})

it('takes none that leaves another record', () => {
  const winner = given(acquire('one'), acquired, 0, 1)
  expect(isExplained([winner], standing('one'))).toBe(true)
  expect(isExplained([winner], standing('other'))).toBe(false)
  expect(isExplained([winner])).toBe(false)
})
