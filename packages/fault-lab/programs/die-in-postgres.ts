import pg from 'pg'
import type { Means } from '../src/shop-process.js'
import { dieAroundAnswers, hasTakenEffect } from './die-around-answers.js'
import { reach } from './reach.js'

const isClaim = (sql: string): boolean => /^\s*INSERT INTO \S*retrysafe_records/.test(sql)
const isCompletion = (sql: string): boolean => /SET state = 'completed'/.test(sql)
const isEffect = (sql: string): boolean => sql.startsWith('INSERT INTO effects')

type Ask = (this: pg.Client, query: string | pg.QueryConfig) => Promise<pg.QueryResult>

/** Lets the process die around the questions of the store and of the shop, on whichever connection they are asked. */
export const dieInPostgres = (means: Means): void => {
  dieAroundAnswers()
  /** The statement by which the record is completed for good, and the effect where it is in the same transaction. */
  const commits = means === 'transaction' ? (sql: string) => sql === 'COMMIT' : isCompletion
  const ask = pg.Client.prototype.query as Ask
  const query: Ask = async function (asked) {
    const { text, values } = typeof asked === 'string' ? { text: asked, values: [] } : asked
    if (commits(text)) reach('before-commit')
    const answer = ask.call(this, asked)
    // The driver has handed its bytes to the system: what the server makes of them is its own affair.
    if (isClaim(text)) reach('claim-sent')
    if (commits(text)) reach('commit-sent')
    const outcome = await answer
    if (isClaim(text) && outcome.rowCount === 1) reach('claim-made')
    if (isEffect(text)) {
      hasTakenEffect(String(values?.[0]))
      reach('in-work')
    }
    if (commits(text)) reach('after-commit')
    return outcome
  }
  pg.Client.prototype.query = query as never
}
