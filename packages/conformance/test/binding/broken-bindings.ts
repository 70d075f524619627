import { expect, it } from 'vitest'
import { type BindingGuarantee, bindingGuarantees, prove } from '../../src/index.js'
import { defects } from './defects/index.js'
import { type Defect, referenceHarness } from './reference-harness.js'

/** A binding that trips more guarantees than this is broken altogether, and proves none of them. */
const narrow = 5

/** How many guarantees are checked at a time, most of them waiting. */
const lanes = 8

const trips = (defect: Defect, guarantee: BindingGuarantee): Promise<boolean> =>
  prove(guarantee, () => referenceHarness(defect)).then(
    () => false,
    () => true,
  )

const tripped = async (defect: Defect): Promise<BindingGuarantee[]> => {
  const left = [...bindingGuarantees]
  const found: BindingGuarantee[] = []
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift())
      if (await trips(defect, next)) found.push(next)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return found
}

/** Those that a defect trips alone, too: one that races a turn of the event loop wins it more often under load. */
const trippedAlone = async (
  defect: Defect,
  found: readonly BindingGuarantee[],
): Promise<BindingGuarantee[]> => {
  const alone: BindingGuarantee[] = []
  for (const guarantee of found) if (await trips(defect, guarantee)) alone.push(guarantee)
  return alone
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
        let found = await tripped(defect)
        expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining([...names]))
        if (found.length > narrow) found = await trippedAlone(defect, found)
        expect(found.length, found.map(({ name }) => name).join('\n')).toBeLessThanOrEqual(narrow)
      })
}
