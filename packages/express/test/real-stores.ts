import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DescribeBindingOptions } from '@retrysafe/conformance'
import { memoryStore } from '@retrysafe/memory'
import { sqliteStore } from '@retrysafe/sqlite'
import { afterAll } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'retrysafe-binding-'))
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
let files = 0

/** The stores that every binding is proven on. */
export const realStores: readonly (readonly [name: string, DescribeBindingOptions])[] = [
  ['memory', { openStore: (now) => memoryStore({ now }) }],
  ['SQLite', { openStore: (now) => sqliteStore(join(folder, `${++files}.db`), { now }) }],
]
