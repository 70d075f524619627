import { expect, it } from 'vitest'
import { type BindingGuarantee, bindingGuarantees, prove } from '../../src/index.js'
import { defects } from './defects/index.js'
import { type Defect, referenceHarness } from './reference-harness.js'

/** A binding that trips more guarantees than this is broken altogether, and proves none of them. */
const narrow = 5

/** How many guarantees are checked at a time, most of them waiting. */
const lanes = 8

const tripped = async (defect: Defect): Promise<string[]> => {
  const left = [...bindingGuarantees]
  const names: string[] = []
  const check = async (guarantee: BindingGuarantee): Promise<void> =>
    prove(guarantee, () => referenceHarness(defect)).catch(() => {
      names.push(guarantee.name)
    })
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) await check(next)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return names
}

/** One defect may break several guarantees, and is planted once for all of them. */
const namesByDefect = (): ReadonlyMap<Defect, readonly string[]> => {
  const names = new Map<Defect, string[]>()
  for (const [name, defect] of Object.entries(defects))
    names.set(defect, [...(names.get(defect) ?? []), name])
  return names
}

/** Every `of`-th defect, from the `part`-th on: files run side by side, tests of one file in one process. */
export const proveBroken = (part: number, of: number): void => {
  for (const [at, [defect, names]] of [...namesByDefect()].entries())
    if (at % of === part)
      it.concurrent(names.join(', and '), { timeout: 120_000 }, async () => {
        const all = await tripped(defect)
        for (const name of names) expect(all).toContain(name)
        expect(all.length, all.join('\n')).toBeLessThanOrEqual(narrow)
      })
}
