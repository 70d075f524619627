import { agreesWithModel, describeStore } from '@retrysafe/conformance'
import { it } from 'vitest'
import { memoryHarness } from './memory-harness.js'

describeStore('memoryStore()', memoryHarness)
describeStore('memoryStore() that evicts', () => memoryHarness({ onStoreFull: 'evict-completed' }))

it('answers as the model does, whatever the seed', async () => {
  const first = Date.now()
  for (let seed = first; seed < first + 10; seed++) {
    const harness = await memoryHarness()
    await agreesWithModel(harness, { seed, records: 30, ticks: 12 })
    await harness.close()
  }
})
