/**
 * One thing that every implementation does, and the check that finds out. `Harness` is what the check works
 * with; it is new for every check.
 */
export interface Guarantee<Harness, Point extends string = string> {
  /** A sentence about behaviour, unique in its suite. */
  readonly name: string
  /** The points of the behaviour contract that it stands for. */
  readonly points: readonly Point[]
  /** Rejects where the guarantee does not hold. */
  readonly check: (harness: Harness) => Promise<void>
}

/** Makes a harness, runs one guarantee on it and closes it; rejects where the guarantee does not hold. */
export const prove = async <Harness extends { close(): Promise<void> }>(
  guarantee: Guarantee<Harness>,
  createHarness: () => Promise<Harness>,
): Promise<void> => {
  const harness = await createHarness()
  try {
    await guarantee.check(harness)
  } finally {
    await harness.close()
  }
}

/** Which guarantees stand for which point of the contract: point to names, in the order of the suite. */
export const guaranteesByPoint = (
  guarantees: readonly { readonly name: string; readonly points: readonly string[] }[],
): ReadonlyMap<string, readonly string[]> => {
  const names = new Map<string, string[]>()
  for (const { name, points } of guarantees)
    for (const point of points) names.set(point, [...(names.get(point) ?? []), name])
  return names
}
