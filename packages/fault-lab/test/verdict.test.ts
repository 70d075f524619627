import { expect, it } from 'vitest'
import type { Outcome } from '../src/kill-loop.js'
import type { Answer } from '../src/sender.js'
import { faultsOf } from '../src/verdict.js'

const first: Answer = { status: 201, body: '{"effect":1}', replayed: false }
const again: Answer = { ...first, replayed: true }

/** One key, for which everything holds but what is given. */
const faultsWith = (given: Partial<Outcome>): string[] =>
  faultsOf({
    arena: 'SQLite',
    terms: { programs: '', means: 'transaction', kills: 1, seed: 1 },
    planned: new Map([['in-work', 1]]),
    hits: new Map([['in-work', 1]]),
    answers: new Map([['key', [first]]]),
    last: new Map([['key', again]]),
    effects: new Map([['key', 1]]),
    again: new Map(),
    tookMs: 1,
    ...given,
  })

it('finds no fault where each key has one effect, and one answer that stays', () => {
  expect(faultsWith({})).toEqual([])
  expect(faultsWith({ answers: new Map([['key', [first, again]]]) })).toEqual([])
})

it.each<[string, Partial<Outcome>]>([
  ['Not hit as often as planned: in the work: the effect is written', { hits: new Map() }],
  ['More than one effect: key (1)', { effects: new Map([['key', 2]]) }],
  ['No effect, or nobody asked for it: key (1)', { effects: new Map() }],
  [
    'No effect, or nobody asked for it: other (1)',
    {
      effects: new Map([
        ['key', 1],
        ['other', 1],
      ]),
    },
  ],
  [
    'Answered in two ways, or wrongly: key (1)',
    { answers: new Map([['key', [first, { ...again, body: '{"effect":2}' }]]]) },
  ],
  [
    'An acknowledged answer is lost: key (1)',
    { last: new Map([['key', { ...again, body: '{"effect":2}' }]]) },
  ],
  // It has run once more, and happened to answer the same.
  ['An acknowledged answer is lost: key (1)', { last: new Map([['key', first]]) }],
])('finds: %s', (fault, given) => {
  expect(faultsWith(given)).toEqual([fault])
})

it('finds an answer that no handler gives', () => {
  const refusal: Answer = { status: 422, body: '{}', replayed: false }
  expect(faultsWith({ answers: new Map([['key', [refusal]]]) })).toContain(
    'Answered in two ways, or wrongly: key (1)',
  )
})

it('takes a second effect for a fault of the lease alone only where nobody was killed', () => {
  const effects = new Map([['key', 2]])
  const terms = { programs: '', means: 'lease', seed: 1 } as const
  expect(faultsWith({ effects, terms: { ...terms, kills: 1 } })).toEqual([])
  expect(faultsWith({ effects, terms: { ...terms, kills: 0 } })).toEqual([
    'More than one effect: key (1)',
  ])
})
