import { describe, expect, it } from 'vitest'
import { guaranteesByPoint, prove, storeGuarantees, storePoints } from '../../src/index.js'
import { type Defect, referenceHarness } from './defect.js'
import { defects } from './defects/index.js'

/** A store that trips more guarantees than this is broken altogether, and proves none of them. */
const narrow = 5

const tripped = async (defect: Defect): Promise<string[]> => {
  const names: string[] = []
  for (const guarantee of storeGuarantees)
    await prove(guarantee, () => referenceHarness(defect)).catch(() => names.push(guarantee.name))
  return names
}

describe('the guarantees of a store', () => {
  it('have names of their own', () => {
    const names = storeGuarantees.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('stand together for every point of the contract that a store answers for', () => {
    expect([...guaranteesByPoint(storeGuarantees).keys()].sort()).toEqual([...storePoints].sort())
  })

  it('have each a store that breaks it', () => {
    const names = storeGuarantees.map(({ name }) => name)
    expect(Object.keys(defects).sort()).toEqual(names.sort())
  })

  it('hold for a store made from the model', async () => {
    for (const guarantee of storeGuarantees) await prove(guarantee, () => referenceHarness())
  })
})

describe('a store that is broken in one place is caught', () => {
  for (const [name, defect] of Object.entries(defects))
    it(name, async () => {
      const names = await tripped(defect)
      expect(names).toContain(name)
      expect(names.length, names.join('\n')).toBeLessThanOrEqual(narrow)
    })
})
