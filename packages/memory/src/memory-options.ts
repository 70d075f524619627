import { OptionError } from '@retrysafe/core'

/** What `memoryStore()` takes. */
export interface MemoryStoreOptions {
  /**
   * The most records at one time: a positive whole number up to 16,777,216, which is what a Map holds.
   * @default 100_000
   */
  readonly maxEntries?: number
  /**
   * The most bytes at one time, a positive whole number. A record counts with its key, fingerprint and token at
   * two bytes a character, its result or progress, and 512 bytes for the rest of it.
   * @default 67_108_864 (64 MiB)
   */
  readonly maxBytes?: number
  /**
   * What happens to a new key, or a result, when there is no room: it is refused with `store-full`, or the
   * completed record that was not asked for the longest is forgotten, with a notice `evicted` for each.
   * @default 'refuse'
   */
  readonly onStoreFull?: 'refuse' | 'evict-completed'
  /**
   * The store's clock, in milliseconds. It never goes back. For tests.
   * @default performance.now
   */
  readonly now?: () => number
}

const mapHolds = 16_777_216

const defaults: Required<MemoryStoreOptions> = {
  maxEntries: 100_000,
  maxBytes: 64 * 1024 * 1024,
  onStoreFull: 'refuse',
  now: () => performance.now(),
}

const wholeNumber = (name: string, value: unknown, most: number, why: string): void => {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most) return
  throw new OptionError(`\`${name}\` to be a whole number from 1 to ${most}`, shown(value), why)
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : `\`${String(value)}\``

/** The options with their defaults; throws `OptionError` where one is wrong. */
export const checkedOptions = (options: MemoryStoreOptions): Required<MemoryStoreOptions> => {
  for (const name of Object.keys(options))
    if (!(name in defaults))
      throw new OptionError(
        `the options of memoryStore() to be ${Object.keys(defaults).join(', ')}`,
        `\`${name}\``,
        'An option that nobody reads does nothing.',
      )
  const {
    maxEntries = defaults.maxEntries,
    maxBytes = defaults.maxBytes,
    onStoreFull = defaults.onStoreFull,
    now = defaults.now,
  } = options
  const why = 'A store without a bound takes the memory of its process.'
  wholeNumber('maxEntries', maxEntries, mapHolds, why)
  wholeNumber('maxBytes', maxBytes, Number.MAX_SAFE_INTEGER, why)
  if (onStoreFull !== 'refuse' && onStoreFull !== 'evict-completed')
    throw new OptionError(
      "`onStoreFull` to be 'refuse' or 'evict-completed'",
      shown(onStoreFull),
      'A record that is forgotten runs again when its key comes back.',
    )
  if (typeof now !== 'function')
    throw new OptionError(
      '`now` to be a function that answers milliseconds',
      shown(now),
      'Leases and retention run on it.',
    )
  return { maxEntries, maxBytes, onStoreFull, now }
}
