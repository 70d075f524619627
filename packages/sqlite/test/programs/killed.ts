import Database from 'better-sqlite3'
import { sqliteStore } from '../../src/index.js'
import { fakeExecution } from '../fake-execution.js'

/** Where the process is to end itself. */
export type Point = 'in the work' | 'before COMMIT' | 'after COMMIT'

const [file, point] = process.argv.slice(2) as [string, Point]
const die = () => process.kill(process.pid, 'SIGKILL')

const database = new Database(file)
database.pragma('journal_mode = WAL')

// The statement that commits is the driver's, with a death on one side of it.
const prepare = database.prepare.bind(database)
database.prepare = ((sql: string) => {
  const statement = prepare(sql)
  if (sql !== 'COMMIT') return statement
  const run = statement.run.bind(statement)
  statement.run = () => {
    if (point === 'before COMMIT') die()
    const outcome = run()
    if (point === 'after COMMIT') die()
    return outcome
  }
  return statement
}) as typeof database.prepare

const store = sqliteStore({ database })
const lease = { recordKey: 'key', token: 'token' }
const terms = { fingerprint: 'print', leaseMs: 60_000, retentionMs: 60_000, takeover: false }
await store.acquire({ ...lease, ...terms })
await store.transaction(fakeExecution(lease).execution, () => {
  database.exec(`INSERT INTO stock (sku, on_hand) VALUES ('A-100', 95)`)
  if (point === 'in the work') die()
})
