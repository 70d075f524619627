import { postgresStore } from '@retrysafe/postgres'
import pg from 'pg'
import { dieInPostgres } from './die-in-postgres.js'
import { startShop, type TakeOrder, terms } from './shop.js'

dieInPostgres(terms.means)

const pool = new pg.Pool({ connectionString: terms.address, max: 6 })
pool.on('error', () => {})
const store = postgresStore({ pool })

const write = async (client: pg.ClientBase, key: string): Promise<number> => {
  const { rows } = await client.query({
    text: 'INSERT INTO effects (key) VALUES ($1) RETURNING id',
    values: [key],
  })
  return rows[0].id
}

const together: TakeOrder = (execution, key, answer) =>
  store.transaction(execution, async (client) => answer(await write(client, key)))

const apart: TakeOrder = async (_, key, answer) => {
  const client = await pool.connect()
  const effect = await write(client, key).finally(() => client.release())
  answer(effect)
}

void store.migrate().then(() => startShop(store, terms.means === 'transaction' ? together : apart))
