import type { IdempotencyStore } from '@retrysafe/core'
import type { Pool } from 'pg'
import { onStretchedTime, scale } from '../../redis/test/stretched-time.js'
import { postgresStore } from '../src/index.js'

let stores = 0

/**
 * A store on a real server for a suite that sets the clock, with tables of its own: what the clock goes on is taken off
 * what every record has left.
 */
export const onSuiteClock = (pool: Pool, now: () => number): IdempotencyStore => {
  const schema = `suite_${process.pid}_${++stores}`
  const store = postgresStore({ pool, schema })
  let seenAt = now()

  const step = async (): Promise<void> => {
    const passed = now() - seenAt
    seenAt += passed
    if (passed === 0) return
    await pool.query(
      `UPDATE ${schema}.retrysafe_records SET
         lease_ends_at = lease_ends_at - $1::float8 * interval '1 ms',
         expires_at = expires_at - $1::float8 * interval '1 ms'`,
      [passed * scale],
    )
  }
  let steps = (async () => {
    await pool.query(`CREATE SCHEMA ${schema}`)
    await store.migrate()
  })()
  steps.catch(() => {})

  return onStretchedTime(store, () => {
    steps = steps.then(step)
    return steps
  })
}
