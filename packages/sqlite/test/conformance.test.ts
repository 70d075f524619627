import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeStore } from '@retrysafe/conformance'
import type { IdempotencyStore } from '@retrysafe/core'
import { sqliteStore } from '../src/index.js'

describeStore('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'retrysafe-'))
  const opened: IdempotencyStore[] = []
  let clock = Date.now()
  return {
    async open() {
      const store = sqliteStore(join(folder, 'shop.db'), { now: () => clock })
      opened.push(store)
      return store
    },
    async advance(ms) {
      clock += ms
    },
    async close() {
      await Promise.all(opened.map((store) => store.close()))
      await rm(folder, { recursive: true, force: true })
    },
  }
})
