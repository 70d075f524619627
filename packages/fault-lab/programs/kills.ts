import {
  hasPostgresServer,
  type PostgresServer,
  startPostgres,
} from '../../postgres/test/servers/postgres-server.js'
import type { Arena } from '../src/arena.js'
import { killLoop, type LoopTerms } from '../src/kill-loop.js'
import { killsOptions, usage } from '../src/kills-options.js'
import { postgresArena } from '../src/postgres-arena.js'
import { reportOf } from '../src/report.js'
import { sqliteArena } from '../src/sqlite-arena.js'
import { faultsOf } from '../src/verdict.js'

/** Kills and prints what came of it. Answers the exit code. */
export const kills = async (args: readonly string[], programs: string): Promise<number> => {
  const options = killsOptions(args)
  if (!options) {
    console.error(usage)
    return 2
  }
  const { stores, seed } = options
  if (stores.includes('postgres') && !hasPostgresServer) {
    console.error('There is no Postgres here to start. `--store sqlite` needs none.')
    return 2
  }
  let holds = true
  const play = async (openArena: () => Arena | Promise<Arena>, terms: Partial<LoopTerms>) => {
    const arena = await openArena()
    try {
      const outcome = await killLoop(arena, {
        programs,
        seed,
        means: 'transaction',
        kills: 0,
        ...terms,
      })
      console.log(reportOf(outcome))
      holds &&= faultsOf(outcome).length === 0
    } finally {
      await arena.close()
    }
  }
  const playAll = async (openArena: () => Arena | Promise<Arena>, kills: number) => {
    await play(openArena, { kills })
    await play(openArena, { means: 'lease', kills: Math.ceil(kills / 4) })
    // Nobody is late here, and none may be followed.
    await play(openArena, { means: 'lease', keys: 200, leaseMs: 60_000 })
  }

  console.log(`Killing processes; --seed ${seed}\n`)
  let server: PostgresServer | undefined
  try {
    if (stores.includes('sqlite')) await playAll(sqliteArena, options.kills.sqlite)
    if (stores.includes('postgres')) {
      const started = await startPostgres()
      server = started
      await playAll(() => postgresArena(started), options.kills.postgres)
    }
  } finally {
    await server?.stop()
  }
  console.log(holds ? 'Everything holds.' : 'NOT everything holds.')
  return holds ? 0 : 1
}
