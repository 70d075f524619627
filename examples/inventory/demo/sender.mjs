// @ts-check
// A supplier's system, a process of its own: delivers the updates that it is given, all at the same instant, and
// says what came of each.
import { deliver } from './deliver.mjs'

process.on('message', async (/** @type {import('./deliver.mjs').Delivery[]} */ deliveries) => {
  process.send?.(await Promise.all(deliveries.map(deliver)))
})
process.once('SIGTERM', () => process.exit())
process.once('disconnect', () => process.exit())
