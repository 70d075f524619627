import type { IdempotencyStore } from '@retrysafe/core'
import { sqliteStore } from '../../src/index.js'

/** What a contender is told to do: open the file at once, or claim so many keys on it and close. */
export type Order =
  | { readonly order: 'open'; readonly file: string }
  | { readonly order: 'claim'; readonly keys: number }

/** What it answers: the keys that it won, and what went wrong. */
export interface Report {
  readonly won: readonly string[]
  readonly errors: readonly string[]
}

let store: IdempotencyStore | undefined

process.on('message', async (order: Order) => {
  process.send?.(
    await carryOut(order).catch((error): Report => ({ won: [], errors: [String(error)] })),
  )
})
process.send?.('ready')

const carryOut = async (order: Order): Promise<Report> => {
  switch (order.order) {
    case 'open':
      store = sqliteStore(order.file, { storeTimeoutMs: 10_000 })
      return { won: [], errors: [] }
    case 'claim':
      return claimAll(order.keys)
  }
}

const claimAll = async (keys: number): Promise<Report> => {
  const won: string[] = []
  const errors: string[] = []
  // Some at a time, so that the processes take turns.
  for (let first = 0; first < keys; first += 8) {
    const some = Array.from({ length: Math.min(8, keys - first) }, (_, index) => first + index)
    await Promise.all(
      some.map(async (index) => {
        const recordKey = `key ${index}`
        try {
          if (await wins(recordKey)) won.push(recordKey)
        } catch (error) {
          errors.push(String(error))
        }
      }),
    )
  }
  await store?.close()
  return { won, errors }
}

const wins = async (recordKey: string): Promise<boolean> => {
  const acquisition = await store?.acquire({
    recordKey,
    token: `${recordKey} of ${process.pid}`,
    fingerprint: 'print',
    leaseMs: 60_000,
    retentionMs: 60_000,
    takeover: false,
  })
  return acquisition?.kind === 'acquired'
}
