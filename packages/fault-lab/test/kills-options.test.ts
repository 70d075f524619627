import { expect, it } from 'vitest'
import { planOf } from '../src/kill-point.js'
import { killsOptions } from '../src/kills-options.js'
import { seededRandom } from '../src/random.js'

it('kills on both stores, so often that thirty die in each place that matters most', () => {
  const { stores, kills } = killsOptions([]) ?? {}
  expect(stores).toEqual(['sqlite', 'postgres'])
  expect(kills).toEqual({ sqlite: 400, postgres: 165 })
  const plan = planOf(165, ['claim-sent', 'claim-made', 'in-work', 'before-commit', 'commit-sent'])
  expect(plan.filter((place) => place === 'in-work').length).toBeGreaterThanOrEqual(30)
})

it('takes store, kills and seed', () => {
  expect(killsOptions(['--store', 'postgres', '--kills=20', '--seed', '7'])).toEqual({
    stores: ['postgres'],
    kills: { sqlite: 20, postgres: 20 },
    seed: 7,
  })
})

it.each([
  ['--store', 'redis'],
  ['--kills', '0'],
  ['--kills', 'many'],
  ['--seed', 'x'],
  ['--other'],
])('refuses %s %s', (...args) => {
  expect(killsOptions(args)).toBeUndefined()
})

it('brings the same order back with the same seed', () => {
  const items = Array.from({ length: 50 }, (_, index) => index)
  const order = seededRandom(7).shuffled(items)
  expect(seededRandom(7).shuffled(items)).toEqual(order)
  expect(seededRandom(8).shuffled(items)).not.toEqual(order)
  expect([...order].sort((one, other) => one - other)).toEqual(items)
})
