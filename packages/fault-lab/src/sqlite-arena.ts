import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type Arena, counted } from './arena.js'
import { type Place, places } from './kill-point.js'

/** A file of its own. Its COMMIT is one call of the driver's: nothing is between its being sent and its answer. */
export const sqliteArena = (): Arena => {
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-kills-'))
  const address = join(folder, 'shop.db')
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // Also where the loop is interrupted.
  process.once('exit', remove)
  const database = new Database(address)
  database.pragma('journal_mode = WAL')
  // A key may be there twice: that is what is looked for.
  database.exec('CREATE TABLE effects (id INTEGER PRIMARY KEY, key TEXT NOT NULL)')
  return {
    name: 'SQLite',
    program: 'sqlite-shop',
    address,
    places: (Object.keys(places) as Place[]).filter((place) => place !== 'commit-sent'),
    effects: async () =>
      counted(database.prepare('SELECT key FROM effects').pluck().all() as string[]),
    close: async () => {
      database.close()
      process.off('exit', remove)
      remove()
    },
  }
}
