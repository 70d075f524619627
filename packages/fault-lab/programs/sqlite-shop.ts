import { sqliteStore } from '@retrysafe/sqlite'
import Database from 'better-sqlite3'
import { dieInSqlite } from './die-in-sqlite.js'
import { startShop, type TakeOrder, terms } from './shop.js'

dieInSqlite()

const database = new Database(terms.address)
database.pragma('journal_mode = WAL')
const store = sqliteStore({ database })

const insert = database.prepare('INSERT INTO effects (key) VALUES (?)')
const write = (key: string): number => Number(insert.run(key).lastInsertRowid)

const together: TakeOrder = (execution, key, answer) =>
  store.transaction(execution, () => answer(write(key)))

const apart: TakeOrder = async (_, key, answer) => answer(write(key))

startShop(store, terms.means === 'transaction' ? together : apart)
