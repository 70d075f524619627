import { createIdempotency } from '@retrysafe/core'
import { sqliteStore } from '../../src/index.js'

/** How the work of the holder ends, when it is told so. */
export type Ending = 'returns' | 'throws' | 'releases'

// Holds a key on the file that is named, says so, and ends as it is told.
const { run, close } = createIdempotency({ store: sqliteStore(String(process.argv[2])) })
const told = new Promise<Ending>((resolve) => process.once('message', resolve))
await run({ key: 'k', scope: 's' }, async ({ release }) => {
  process.send?.('holding')
  const ending = await told
  if (ending === 'throws') throw new Error('hung up')
  if (ending === 'releases') release()
  return `made by ${process.pid}`
}).catch(() => {})
await close()
process.disconnect()
