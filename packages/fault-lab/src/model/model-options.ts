import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { type StoreName, storeNames } from './compared-store.js'

/** What `npm run model` is told. */
export interface ModelOptions {
  readonly enumerates: boolean
  readonly stores: readonly StoreName[]
  /** For each store. */
  readonly sequences: number
  readonly interleavings: number
  readonly seed: number
}

export const usage = `Usage: npm run model -- [--stores ${storeNames.join(',')}|none] [--sequences N]
       [--interleavings N] [--seed N] [--no-enumeration]`

/** Answers nothing where it is told something else. */
export const modelOptions = (args: readonly string[]): ModelOptions | undefined => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        stores: { type: 'string', default: storeNames.join(',') },
        sequences: { type: 'string', default: '100000' },
        interleavings: { type: 'string', default: '2000' },
        seed: { type: 'string', default: String(randomInt(1_000_000)) },
        'no-enumeration': { type: 'boolean', default: false },
      },
    })
    const stores = values.stores === 'none' ? [] : values.stores.split(',')
    const numbers = [values.sequences, values.interleavings, values.seed].map(Number)
    const [sequences, interleavings, seed] = numbers as [number, number, number]
    if (!stores.every(isStoreName) || !numbers.every(isCount)) return undefined
    return { enumerates: !values['no-enumeration'], stores, sequences, interleavings, seed }
  } catch {
    return undefined
  }
}

const isStoreName = (name: string): name is StoreName =>
  (storeNames as readonly string[]).includes(name)

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
