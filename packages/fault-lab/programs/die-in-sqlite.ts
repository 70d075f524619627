import Database from 'better-sqlite3'
import { dieAroundAnswers, hasTakenEffect } from './die-around-answers.js'
import { reach } from './reach.js'

const isClaim = (sql: string): boolean =>
  /INSERT INTO main\.retrysafe_records|SET\s+token = \?, state = 'in_flight'/.test(sql)
const isCompletion = (sql: string): boolean => /SET\s+state = 'completed'/.test(sql)
const isEffect = (sql: string): boolean => sql.startsWith('INSERT INTO effects')

/** What an open transaction of a connection has written so far. */
const written = new WeakMap<Database.Database, Set<'claim' | 'completion'>>()

/** Lets the process die around the statements of the store and of the shop, on whichever connection they run. */
export const dieInSqlite = (): void => {
  dieAroundAnswers()
  const { prepare } = Database.prototype
  Database.prototype.prepare = function (this: Database.Database, sql: string) {
    const statement = prepare.call(this, sql)
    const run = statement.run.bind(statement) as (...given: unknown[]) => Database.RunResult
    const around = aroundOf(this, sql)
    if (around)
      statement.run = (...given: unknown[]) => {
        around.before?.()
        const outcome = run(...given)
        around.after(outcome.changes, given)
        return outcome
      }
    return statement
  } as typeof prepare
}

interface Around {
  readonly before?: () => void
  readonly after: (changes: number, given: readonly unknown[]) => void
}

const aroundOf = (database: Database.Database, sql: string): Around | undefined => {
  const writes = (what: 'claim' | 'completion'): void => {
    const known = written.get(database) ?? new Set()
    written.set(database, known.add(what))
  }
  if (isClaim(sql))
    return {
      after: (changes) => {
        if (changes === 0) return
        writes('claim')
        reach('claim-sent')
      },
    }
  if (isEffect(sql))
    return {
      after: (_, [key]) => {
        hasTakenEffect(String(key))
        reach('in-work')
      },
    }
  if (isCompletion(sql))
    return {
      after: (changes) => {
        if (changes > 0) writes('completion')
      },
    }
  if (sql === 'COMMIT')
    return {
      before: () => {
        if (written.get(database)?.has('completion')) reach('before-commit')
      },
      after: () => {
        const known = written.get(database)
        written.delete(database)
        if (known?.has('claim')) reach('claim-made')
        if (known?.has('completion')) reach('after-commit')
      },
    }
  if (sql === 'ROLLBACK') return { after: () => written.delete(database) }
  return undefined
}
