import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Server, startServer } from '../demo/processes.mjs'

/** A database file that is there for one test. */
export const newDatabase = () => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return join(folder, 'inventory.db')
}

/** The real server in a process of its own, for one test. */
export const serve = async (
  terms: { database?: string; leaseMs?: number; workMs?: number } = {},
): Promise<Server> => {
  const server = await startServer({ ...terms, database: terms.database ?? newDatabase() })
  onTestFinished(async () => {
    await server.kill()
  })
  return server
}
