import { beforeAll, describe, expect, it } from 'vitest'
import {
  hasPostgresServer,
  type PostgresServer,
  startPostgres,
} from '../../postgres/test/servers/postgres-server.js'
import { compiled } from '../compiled.mjs'
import type { Arena } from '../src/arena.js'
import { killLoop, type LoopTerms } from '../src/kill-loop.js'
import { postgresArena } from '../src/postgres-arena.js'
import { sqliteArena } from '../src/sqlite-arena.js'
import { faultsOf, findingsOf } from '../src/verdict.js'

let programs = ''
beforeAll(async () => {
  const { folder, remove } = await compiled(['sqlite-shop', 'postgres-shop'])
  programs = folder
  return remove
})

// As `npm run kills`, which has the time for hundreds: here each place is hit once or twice.
const seed = 1

const loopOn = async (arena: Arena, terms: Partial<LoopTerms>) => {
  try {
    return await killLoop(arena, { programs, seed, means: 'transaction', kills: 0, ...terms })
  } finally {
    await arena.close()
  }
}

const describeLoop = (openArena: () => Arena | Promise<Arena>) => {
  it('leaves one effect and one answer for each key, wherever processes are killed', async () => {
    const arena = await openArena()
    const outcome = await loopOn(arena, { kills: 10 })
    expect(faultsOf(outcome)).toEqual([])
    expect([...outcome.hits.keys()].sort()).toEqual([...arena.places].sort())
  })

  it('leaves one effect with the lease alone, where nobody is killed', async () => {
    const outcome = await loopOn(await openArena(), { means: 'lease', keys: 40, leaseMs: 60_000 })
    expect(faultsOf(outcome)).toEqual([])
    const { keys, effects } = findingsOf(outcome)
    expect(keys).toBeGreaterThanOrEqual(40)
    expect(effects).toBe(keys)
  })

  it('sees every effect that a kill has doubled', async () => {
    const arena = { ...(await openArena()), places: ['in-work'] as const }
    const outcome = await loopOn(arena, { means: 'lease', kills: 2 })
    const { keys, effects, doubled } = findingsOf(outcome)
    expect(doubled.length).toBeGreaterThan(0)
    expect(effects - keys).toBeGreaterThanOrEqual(2)
    expect(faultsOf({ ...outcome, terms: { ...outcome.terms, means: 'transaction' } })).toEqual([
      expect.stringContaining('More than one effect'),
    ])
  })
}

describe('Killing processes on SQLite', () => describeLoop(sqliteArena))

describe.skipIf(!hasPostgresServer)('Killing processes on Postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    return () => server.stop()
  })
  describeLoop(() => postgresArena(server))
})
