import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type Server, startServer } from '../demo/processes.mjs'
import { type Choice, targets } from '../demo/targets.mjs'

/** What a suite is about, for its title. */
export const titleOf = ({ target, store }: Choice) =>
  `on ${targets[target].title}${store === 'memory' ? ' with its keys in memory' : ''}`

/** A database file that is there for one test. */
export const newDatabase = () => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return join(folder, 'inventory.db')
}

/** The real server in a process of its own, for one test. */
export const serve = async (
  terms: Choice & { database?: string; leaseMs?: number; workMs?: number },
): Promise<Server> => {
  const server = await startServer({ ...terms, database: terms.database ?? newDatabase() })
  onTestFinished(async () => {
    await server.kill()
  })
  return server
}
