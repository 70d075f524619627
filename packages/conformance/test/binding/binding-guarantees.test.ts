import { describe, expect, it } from 'vitest'
import {
  bindingGuarantees,
  bindingPoints,
  describeBinding,
  guaranteesByPoint,
} from '../../src/index.js'
import { defects } from './defects/index.js'
import { referenceHarness } from './reference-harness.js'

describeBinding('a binding for node:http', () => referenceHarness())

describe('the guarantees of a binding', () => {
  it('have names of their own', () => {
    const names = bindingGuarantees.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('stand together for every point of the contract that shows through a binding', () => {
    expect([...guaranteesByPoint(bindingGuarantees).keys()].sort()).toEqual(
      [...bindingPoints].sort(),
    )
  })

  it('have each a binding that breaks it', () => {
    const names = bindingGuarantees.map(({ name }) => name)
    expect(Object.keys(defects).sort()).toEqual(names.sort())
  })
})
