import { OptionError } from '@retrysafe/core'

/** What `sqliteStore()` can be told. */
export interface SqliteOptions {
  /**
   * How long a call waits for a file that another process is writing, in milliseconds. Then it rejects with
   * `store-unavailable`. The event loop never waits.
   * @default 2000
   */
  readonly storeTimeoutMs?: number
  /**
   * `full`: what is acknowledged survives power loss. `normal`: it survives a killed process, not power loss.
   * @default 'full'
   */
  readonly synchronous?: 'full' | 'normal'
  /**
   * The wall clock in milliseconds since 1970. Every process on the file must have the same.
   * @default Date.now
   */
  readonly now?: () => number
  /**
   * How long to wait between two looks for expired records, in milliseconds. The timer keeps no process alive.
   * @default 60_000
   */
  readonly purgeEveryMs?: number
}

/** The options with their defaults, each of them checked. */
export const checkedOptions = ({
  storeTimeoutMs = 2000,
  synchronous = 'full',
  now = Date.now,
  purgeEveryMs = 60_000,
}: SqliteOptions): Required<SqliteOptions> => {
  requireDuration(
    'storeTimeoutMs',
    storeTimeoutMs,
    'It bounds how long a request waits for the file.',
  )
  requireDuration('purgeEveryMs', purgeEveryMs, 'Expired records leave the file in this rhythm.')
  if (synchronous !== 'full' && synchronous !== 'normal')
    throw new OptionError(
      `"synchronous" to be 'full' or 'normal'`,
      shown(synchronous),
      'It decides whether an acknowledged record survives power loss.',
    )
  if (typeof now !== 'function')
    throw new OptionError('"now" to be a function', shown(now), 'Leases and retention run on it.')
  // Whole milliseconds: the columns take nothing else.
  return { storeTimeoutMs, synchronous, now: () => Math.floor(now()), purgeEveryMs }
}

const requireDuration = (name: string, value: unknown, why: string): void => {
  if (Number.isSafeInteger(value) && (value as number) > 0) return
  throw new OptionError(
    `"${name}" to be a positive whole number of milliseconds`,
    shown(value),
    why,
  )
}

const shown = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : String(value))
