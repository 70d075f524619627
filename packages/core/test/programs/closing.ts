import { memoryStore } from '../../../memory/src/index.js'
import { createIdempotency } from '../../src/run.js'

// Whatever was going on, the process ends by itself once the layer is closed.
const store = memoryStore()
const layer = createIdempotency({ store, graceMs: 200 })
const operation = { key: 'k', scope: 's' }

const scenes: Record<string, () => Promise<unknown>> = {
  done: () => layer.run(operation, () => 1),
  hanging: async () => void layer.run(operation, () => new Promise(() => {})),
  unwritten: async () => {
    store.complete = () => Promise.reject(new Error('disk full'))
    void layer.run(operation, () => 1)
  },
  'given up': async () => {
    store.acquire = () => Promise.reject(new Error('connection reset'))
    store.read = () => Promise.reject(new Error('connection reset'))
    await layer.run(operation, () => 1).catch(() => {})
  },
}
process.on('unhandledRejection', () => process.exit(3))
await scenes[String(process.argv[2])]?.()
if (process.argv[3] === 'closed') await layer.close()
console.log('ready')
