import { execFileSync } from 'node:child_process'
import { chownSync } from 'node:fs'
import { environment } from './environment.js'

/** For `spawn`. Empty where the servers run as whoever runs the tests. */
export interface Owner {
  readonly uid?: number
  readonly gid?: number
}

const idOfNobody = (which: '-u' | '-g') =>
  Number(execFileSync('id', [which, 'nobody'], { env: environment, encoding: 'utf8' }))

/** Whom the servers run as: nobody where the tests are run by root, for whom they do not work. */
export const owner: Owner =
  process.getuid?.() === 0 ? { uid: idOfNobody('-u'), gid: idOfNobody('-g') } : {}

/** How a program is started that gets nothing of the tests' own environment. */
export const runAs = { ...owner, env: environment }

/** Gives a file or folder to whom the servers run as. */
export const giveToOwner = (path: string): void => {
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(path, owner.uid, owner.gid)
}
