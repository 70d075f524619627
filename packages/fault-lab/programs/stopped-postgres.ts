import { postgresStore } from '@retrysafe/postgres'
import pg from 'pg'
import { startShop, terms } from './shop.js'
import { stopAt } from './stopped-at.js'

const pool = new pg.Pool({ connectionString: terms.address, max: 6 })
pool.on('error', () => {})
const store = postgresStore({ pool })

void store.migrate().then(() =>
  startShop(store, async (execution, key, answer) => {
    stopAt('before-the-transaction', execution)
    await store.transaction(execution, async (client) => {
      const insert = 'INSERT INTO effects (key) VALUES ($1) RETURNING id'
      const { rows } = await client.query(insert, [key])
      stopAt('in-the-work', execution)
      answer(rows[0].id)
    })
  }),
)
