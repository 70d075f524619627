import type { IdempotencyStore } from '@retrysafe/core'
import { type RedisClient, redisStore } from '../src/index.js'
import { onStretchedTime, scale } from './stretched-time.js'

let stores = 0

/**
 * A store on a real server for a suite that sets the clock: what it goes on is taken off the lives of the keys, which
 * are all that a record knows of time.
 */
export const onSuiteClock = (client: RedisClient, now: () => number): IdempotencyStore => {
  const prefix = `suite-${process.pid}-${++stores}:`
  const seenAt = new Map<string, number>()

  return onStretchedTime(redisStore({ client, prefix }), async (recordKey) => {
    if (recordKey === undefined) return
    const at = now()
    const passed = at - (seenAt.get(recordKey) ?? at)
    seenAt.set(recordKey, at)
    if (passed === 0) return
    const key = prefix + recordKey
    const life = Number(await client.callBuffer('pttl', key))
    // 0: less than a millisecond.
    if (life >= 0) await client.callBuffer('pexpire', key, life - passed * scale)
  })
}
