import { readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { installByApt, mayInstall } from './apt.mjs'
import { findProgram, isProgram, programFolders } from './find-program.mjs'

const hasServer = (folder) => ['initdb', 'postgres'].every((name) => isProgram(join(folder, name)))

/** The folders' `bin` of the versions that stand beside each other in a folder, newest first. */
const versionsIn = (parent, prefix) => {
  try {
    return readdirSync(parent)
      .filter((name) => name.startsWith(prefix))
      .sort((one, other) => other.localeCompare(one, 'en', { numeric: true }))
      .map((name) => join(parent, name, 'bin'))
  } catch {
    return []
  }
}

/**
 * The folder of the programs `initdb` and `postgres`: `POSTGRES_BIN`, else one on PATH or where systems put them.
 * Undefined where there is none; an error where `POSTGRES_BIN` has not got them.
 */
export const findPostgres = ({ POSTGRES_BIN, PATH } = process.env) => {
  if (POSTGRES_BIN) {
    if (isAbsolute(POSTGRES_BIN) && hasServer(POSTGRES_BIN)) return POSTGRES_BIN
    throw new Error(`POSTGRES_BIN is ${POSTGRES_BIN}, and initdb and postgres are not there.`)
  }
  return [
    ...programFolders(PATH),
    // Debian keeps them off PATH, and so does Homebrew for all but one version.
    ...versionsIn('/usr/lib/postgresql', ''),
    ...versionsIn('/opt/homebrew/opt', 'postgresql'),
  ].find(hasServer)
}

/** The path of PgBouncer's program. */
export const findPgBouncer = ({ PATH } = process.env) =>
  findProgram('pgbouncer', [...programFolders(PATH), '/usr/sbin'])

/**
 * The folder of `initdb` and `postgres`, installed where there is none and that can be done without asking anybody:
 * by root, with apt-get. Undefined where there is none then.
 */
export const bringPostgres = async () => {
  const found = findPostgres()
  if (found || !mayInstall()) return found
  return (await installByApt('Postgres server', 'postgresql', 'about 20 s'))
    ? findPostgres()
    : undefined
}

const bringPgBouncer = async () => {
  const found = findPgBouncer()
  if (found || !mayInstall()) return found
  return (await installByApt('PgBouncer', 'pgbouncer', 'about 10 s')) ? findPgBouncer() : undefined
}

const howToGetIt =
  'To have it: apt-get install postgresql, brew install postgresql, or POSTGRES_BIN=/folder/of/initdb/and/postgres.'

/** Brings the server and PgBouncer for the tests. Without one it warns of what is not tested, and in CI it fails. */
export const bringPostgresForTests = async () => {
  const hasPostgres = await bringPostgres()
  const mayMiss = !process.env.CI || process.env.DATABASE_URL
  if (hasPostgres) {
    if (await bringPgBouncer()) return
    const missing = 'PgBouncer is not here, nor could it be installed.'
    if (!mayMiss) throw new Error(`${missing} In CI no test may be skipped for that.`)
    console.error(`WARNING: ${missing} The tests of the Postgres store behind it are SKIPPED.\n`)
    return
  }
  const missing = 'Neither initdb nor postgres is here, nor could they be installed.'
  if (!mayMiss) throw new Error(`${missing} In CI no test may be skipped for that.\n${howToGetIt}`)
  console.error(
    process.env.DATABASE_URL
      ? 'WARNING: there is no Postgres server to start here. Tests that only need one to talk to use DATABASE_URL;\n' +
          `those that kill servers, and those of PgBouncer, are SKIPPED.\n${howToGetIt}\n`
      : `WARNING: ${missing}\nThe tests of Postgres are SKIPPED.\n${howToGetIt}\n`,
  )
}
