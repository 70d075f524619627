import { expect, it } from 'vitest'
import { modelOptions } from '../src/model/model-options.js'

it('enumerates, and holds a hundred thousand sequences on every store against the machine', () => {
  expect(modelOptions([])).toMatchObject({
    enumerates: true,
    stores: ['memory', 'sqlite', 'redis', 'postgres'],
    sequences: 100_000,
  })
})

it('takes stores, numbers and seed', () => {
  const args = '--stores redis,memory --sequences 20 --interleavings=3 --seed 7 --no-enumeration'
  expect(modelOptions(args.split(' '))).toEqual({
    enumerates: false,
    stores: ['redis', 'memory'],
    sequences: 20,
    interleavings: 3,
    seed: 7,
  })
  expect(modelOptions(['--stores', 'none'])?.stores).toEqual([])
})

it.each([
  ['--stores', 'mysql'],
  ['--sequences', '-1'],
  ['--sequences', 'many'],
  ['--seed', '1.5'],
  ['--other'],
])('refuses %s %s', (...args) => {
  expect(modelOptions(args)).toBeUndefined()
})
