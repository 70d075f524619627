import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

/** What `npm run kills` is told. */
export interface KillsOptions {
  readonly stores: readonly StoreName[]
  /** In the store's transaction, for each store. */
  readonly kills: Readonly<Record<StoreName, number>>
  readonly seed: number
}

export type StoreName = 'sqlite' | 'postgres'

export const usage = 'Usage: npm run kills -- [--store sqlite|postgres|both] [--kills N] [--seed N]'

// Thirty in each place that matters most, and more.
const defaultKills = { sqlite: 400, postgres: 165 } as const

/** Answers nothing where it is told something else. */
export const killsOptions = (args: readonly string[]): KillsOptions | undefined => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        store: { type: 'string', default: 'both' },
        kills: { type: 'string' },
        seed: { type: 'string', default: String(randomInt(1_000_000)) },
      },
    })
    const stores = values.store === 'both' ? ['sqlite', 'postgres'] : [values.store]
    if (!stores.every(isStoreName)) return undefined
    const seed = Number(values.seed)
    const kills = values.kills === undefined ? undefined : Number(values.kills)
    if (!Number.isSafeInteger(seed) || !(kills === undefined || isPositive(kills))) return undefined
    return {
      stores: stores as StoreName[],
      seed,
      kills: kills === undefined ? defaultKills : { sqlite: kills, postgres: kills },
    }
  } catch {
    return undefined
  }
}

const isStoreName = (name: unknown): name is StoreName => name === 'sqlite' || name === 'postgres'

const isPositive = (value: number): boolean => Number.isSafeInteger(value) && value > 0
