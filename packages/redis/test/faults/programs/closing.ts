import { createIdempotency } from '@retrysafe/core'
import { redisStore } from '../../../src/index.js'

// Asks twice at the same time, so that one waits for the other on a connection of its own, and says so. When it is told
// to, it asks once more, closes, and is expected to end by itself.
const store = redisStore({ url: String(process.argv[2]), storeTimeoutMs: 200 })
const { run, close } = createIdempotency({
  store,
  storeTimeoutMs: 200,
  graceMs: 200,
  onInFlight: { waitMs: 60_000 },
})
const asked = (key: string): Promise<string> =>
  run({ key, scope: 's' }, () => new Promise((resolve) => setTimeout(resolve, 100))).then(
    () => 'ran',
    ({ code }) => code,
  )
let outcomes: string[]
let turn = 0
do {
  const key = `key ${turn++}`
  outcomes = await Promise.all([asked(key), asked(key)])
} while (process.argv[3] === 'there' && outcomes.some((outcome) => outcome !== 'ran'))
process.once('message', async () => {
  void asked('another')
  void asked('another')
  await close()
  process.send?.('closed')
})
process.send?.(outcomes)
