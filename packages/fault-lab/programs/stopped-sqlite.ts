import { sqliteStore } from '@retrysafe/sqlite'
import Database from 'better-sqlite3'
import { startShop, terms } from './shop.js'
import { stopAt } from './stopped-at.js'

const database = new Database(terms.address)
database.pragma('journal_mode = WAL')
const store = sqliteStore({ database })
const insert = database.prepare('INSERT INTO effects (key) VALUES (?)')

startShop(store, async (execution, key, answer) => {
  stopAt('before-the-transaction', execution)
  await store.transaction(execution, () => {
    const { lastInsertRowid } = insert.run(key)
    stopAt('in-the-work', execution)
    answer(Number(lastInsertRowid))
  })
})
