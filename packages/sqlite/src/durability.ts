import type { SqliteDatabase } from './database.js'
import { despiteHalfRead } from './half-read.js'

/** SQLite's numbers for `PRAGMA synchronous`. */
const levels = { normal: 1, full: 2 } as const

/**
 * Sets the application's connection up for a transaction of ours: at least the durability that the store
 * promises, and no busy time-out, which would have SQLite sleep on the event loop. Answers what sets it back.
 * Must be called outside a transaction, since inside one SQLite does not change `synchronous`.
 */
export const raiseDurability = (
  database: SqliteDatabase,
  synchronous: 'full' | 'normal',
): (() => void) => {
  // Number(): an application may have its integers as bigint.
  const read = (name: string): number => Number(database.pragma(name, { simple: true }))
  const changes: { readonly name: string; readonly before: number }[] = []
  const set = (name: string, before: number, value: number): void => {
    if (before === value) return
    database.pragma(`${name} = ${value}`)
    changes.push({ name, before })
  }

  const before = {
    synchronous: read('main.synchronous'),
    fullfsync: read('fullfsync'),
    busyTimeout: read('busy_timeout'),
  }
  set('main.synchronous', before.synchronous, Math.max(before.synchronous, levels[synchronous]))
  if (synchronous === 'full' && process.platform === 'darwin') set('fullfsync', before.fullfsync, 1)
  set('busy_timeout', before.busyTimeout, 0)

  return () => {
    // The work may have closed it.
    if (!database.open) return
    for (const { name, before } of changes)
      despiteHalfRead(database, () => void database.pragma(`${name} = ${before}`))
  }
}
