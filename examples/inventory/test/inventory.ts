import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, onTestFinished } from 'vitest'
import { type Server, startServer } from '../demo/processes.mjs'
import { type Choice, targets } from '../demo/targets.mjs'

/** What a suite is about, for its title. */
export const titleOf = ({ target, store }: Choice) =>
  `on ${targets[target].title}${store === 'memory' ? ' with its keys in memory' : ''}`

const newFolder = () => mkdtempSync(join(tmpdir(), 'inventory-test-'))
const remove = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })

/** A database file that is there for one test. */
export const newDatabase = () => {
  const folder = newFolder()
  onTestFinished(() => remove(folder))
  return join(folder, 'inventory.db')
}

/** One server for all the tests of a suite; answers the address, which is known when they run. */
export const serveAll = (choice: Choice): (() => string) => {
  let url = ''
  beforeAll(async () => {
    const folder = newFolder()
    const server = await startServer({ ...choice, database: join(folder, 'inventory.db') })
    url = server.url
    return async () => {
      await server.kill()
      remove(folder)
    }
  })
  return () => url
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
