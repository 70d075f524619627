import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IdempotencyStore } from '@retrysafe/core'
import { memoryStore } from '@retrysafe/memory'
import { sqliteStore } from '@retrysafe/sqlite'
import type { ComparedHarness, ComparedStore } from './compared-store.js'

const setClock = (startsAt: number) => {
  let at = startsAt
  const advance = async (ms: number): Promise<void> => {
    at += ms
  }
  return { now: () => at, advance, pass: advance, isLate: () => false }
}

/** The memory store: one handle is all that there is. */
export const comparedMemory = async (): Promise<ComparedStore> => ({
  name: 'memory',
  recordsPerBatch: 250,
  batchesAtOnce: 1,
  open: async (): Promise<ComparedHarness> => {
    const { now, ...clock } = setClock(1234.567)
    const store = memoryStore({ now })
    return { ...clock, open: async () => store, close: () => store.close() }
  },
  close: async () => {},
})

/** The SQLite store: each batch has a file, and each handle a connection to it. */
export const comparedSqlite = async (): Promise<ComparedStore> => ({
  name: 'sqlite',
  // Calls of one turn of the event loop are committed together.
  recordsPerBatch: 2_000,
  batchesAtOnce: 1,
  open: async (): Promise<ComparedHarness> => {
    const { now, ...clock } = setClock(Date.now())
    const folder = await mkdtemp(join(tmpdir(), 'retrysafe-model-'))
    const opened: IdempotencyStore[] = []
    return {
      ...clock,
      open: async () => {
        const store = sqliteStore(join(folder, 'shop.db'), { now })
        opened.push(store)
        return store
      },
      close: async () => {
        await Promise.all(opened.map((store) => store.close()))
        await rm(folder, { recursive: true, force: true })
      },
    }
  },
  close: async () => {},
})
