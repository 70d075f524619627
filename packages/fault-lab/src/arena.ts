import type { Place } from './kill-point.js'

/** A database of its own for one loop, with a table of effects beside the records. */
export interface Arena {
  readonly name: string
  /** The program of its shop processes, without its ending. */
  readonly program: 'sqlite-shop' | 'postgres-shop'
  /** What a shop process opens. */
  readonly address: string
  /** Where its shop processes can be killed. */
  readonly places: readonly Place[]
  /** How often each key has taken effect, asked of the database. */
  effects(): Promise<ReadonlyMap<string, number>>
  /** Removes it. */
  close(): Promise<void>
}

/** How often each key is there. */
export const counted = (keys: readonly string[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}
