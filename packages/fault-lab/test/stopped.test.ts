import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  hasPostgresServer,
  type PostgresServer,
  startPostgres,
} from '../../postgres/test/servers/postgres-server.js'
import { query } from '../../postgres/test/servers/query.js'
import { until } from '../../redis/test/servers/until.js'
import { compiled } from '../compiled.mjs'
import type { Stop } from '../programs/stopped-at.js'
import type { Arena } from '../src/arena.js'
import { postgresArena } from '../src/postgres-arena.js'
import { sqliteArena } from '../src/sqlite-arena.js'
import { type StoppedShop, startStoppedShop } from './stopped-shop.js'

let programs = ''
beforeAll(async () => {
  const { folder, remove } = await compiled(['stopped-sqlite', 'stopped-postgres'])
  programs = folder
  return remove
})

const leaseMs = 400

/** Two processes on one database: one has stopped where the key says, the other serves. */
const stoppedAt = async (place: Stop, arena: Arena, program: string) => {
  onTestFinished(() => arena.close())
  const terms = { address: arena.address, means: 'transaction', leaseMs } as const
  const start = () => startStoppedShop(join(programs, program), terms)
  const [late, other] = await Promise.all([start(), start()])
  const first = late.order(place)
  expect(await late.stopped).toBe(place)
  return { late, other, first }
}

/** What the other answers when it has taken over; until then it says that the first is at work. */
const takenOver = (other: StoppedShop, place: Stop) =>
  until('the other has taken over', async () => {
    const answer = await other.order(place)
    if (answer.status !== 409) return answer
    expect(answer.body).toContain('request-in-flight')
    return undefined
  })

const attemptOf = ({ body }: { readonly body: string }): unknown => JSON.parse(body).attempt

/** Another takes over, and what it has done is all that stands, for the client of the stopped one too. */
const isTakenOver = async (place: Stop, arena: Arena, program: string) => {
  const { late, other, first } = await stoppedAt(place, arena, program)
  const second = await takenOver(other, place)
  expect(second).toMatchObject({ status: 201, replayed: false })
  expect(attemptOf(second)).toBe(2)
  late.goOn()
  expect(await first).toEqual({ ...second, replayed: true })
  expect(await arena.effects()).toEqual(new Map([[place, 1]]))
}

describe('A process that is stopped on SQLite', () => {
  it('between claim and transaction, past its lease, does nothing more: its client gets what another has done', async () => {
    await isTakenOver('before-the-transaction', sqliteArena(), 'stopped-sqlite.cjs')
  })

  it('in its work holds the file: others are refused in time, and its work stands when it goes on', async () => {
    const place = 'in-the-work'
    const arena = sqliteArena()
    const { late, other, first } = await stoppedAt(place, arena, 'stopped-sqlite.cjs')
    const [same, another] = await Promise.all([takenOver(other, place), other.order('another')])
    for (const { status, body } of [same, another]) {
      expect(status).toBe(503)
      expect(body).toContain('store-unavailable')
    }
    late.goOn()
    const answer = await first
    expect(answer).toMatchObject({ status: 201, replayed: false })
    expect(attemptOf(answer)).toBe(1)
    expect(await other.order(place)).toEqual({ ...answer, replayed: true })
    expect((await other.order('another')).status).toBe(201)
    expect(await arena.effects()).toEqual(
      new Map([
        [place, 1],
        ['another', 1],
      ]),
    )
  })
})

describe.skipIf(!hasPostgresServer)('A process that is stopped on Postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    return () => server.stop()
  })

  it('between claim and transaction, past its lease, does nothing more: its client gets what another has done', async () => {
    await isTakenOver('before-the-transaction', await postgresArena(server), 'stopped-postgres.cjs')
  })

  it('in its work is rolled back by the server: another runs meanwhile, and its client gets what that has done', async () => {
    const arena = await postgresArena(server)
    // The same effect once more waits for the transaction that has written it.
    await query(arena.address, 'ALTER TABLE effects ADD UNIQUE (key)')
    await isTakenOver('in-the-work', arena, 'stopped-postgres.cjs')
  })
})
