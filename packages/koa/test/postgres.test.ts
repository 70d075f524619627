import { type Answer, answer, type Execution } from '@retrysafe/core'
import { type PostgresStore, postgresStore } from '@retrysafe/postgres'
import type { ClientBase, Pool } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idempotency as onExpress } from '../../express/src/index.js'
import { exchange, serve } from '../../express/test/exchange.js'
import { versions as expressVersions } from '../../express/test/versions.js'
import { serveWork as serveHono } from '../../hono/test/work-route.js'
import { openPool } from '../../postgres/test/servers/open-pool.js'
import {
  hasPostgresServer,
  type PostgresServer,
  startPostgres,
} from '../../postgres/test/servers/postgres-server.js'
import { until } from '../../redis/test/servers/until.js'
import { idempotency as onKoa } from '../src/index.js'
import { serveChain } from './application.js'
import { versions as koaVersions } from './versions.js'

let server: PostgresServer
let pool: Pool
let store: PostgresStore

/** What a route does: its work, inside the transaction, gives the answer. */
interface Route {
  readonly leaseMs?: number
  work(client: ClientBase, execution: Execution): Promise<Answer>
}

const options = ({ leaseMs }: Route) => ({
  store,
  scope: 'global' as const,
  ...(leaseMs && { leaseMs }),
})

/** The same route on every framework; answers the port. */
const bindings: Record<string, (route: Route) => Promise<number>> = {
  ...Object.fromEntries(
    expressVersions.map(([name, express]) => [
      name,
      (route: Route) => {
        const app = express()
        app.post('/', onExpress(options(route)), (request, _response, next) => {
          const { idempotency } = request
          store.transaction(idempotency, (client) => route.work(client, idempotency)).catch(next)
        })
        return serve(app)
      },
    ]),
  ),
  ...Object.fromEntries(
    koaVersions.map(([name, Koa]) => [
      name,
      (route: Route) =>
        serveChain(Koa, onKoa(options(route)), async (ctx) => {
          const execution = ctx.state.idempotency
          await store.transaction(execution, (client) => route.work(client, execution))
        }),
    ]),
  ),
  Hono: (route) =>
    serveHono(options(route), (execution) =>
      store.transaction(execution, (client) => route.work(client, execution)),
    ),
}

const takeEffect = (client: ClientBase, name = 'order') =>
  client.query('INSERT INTO effects (name) VALUES ($1)', [name])

const effects = async (): Promise<number> => {
  const { rows } = await pool.query('SELECT count(*)::int AS count FROM effects')
  return rows[0].count
}

const isReplay = ({ head }: { head: string }) => /idempotent-replayed: true/i.test(head)

describe.skipIf(!hasPostgresServer).each(Object.entries(bindings))(
  'A transaction on Postgres through %s',
  (_name, serving) => {
    beforeAll(async () => {
      server ??= await startPostgres({ config: { fsync: 'off' } })
      pool ??= openPool(server.url)
      store ??= postgresStore({ pool })
      await store.migrate()
      await pool.query('CREATE TABLE IF NOT EXISTS effects (name text)')
    })
    beforeEach(async () => {
      await pool.query('TRUNCATE effects, retrysafe_records')
    })

    it('commits effect and answer together, and the answer is replayed', async () => {
      const port = await serving({
        work: async (client) => {
          await takeEffect(client)
          return answer(201, { order: 1 }, { Location: '/orders/1' })
        },
      })
      const first = await exchange(port, { key: 'k' })
      const again = await exchange(port, { key: 'k' })
      expect(first.head).toContain('201 Created')
      expect(first.head.toLowerCase()).toContain('location: /orders/1')
      expect(first.body).toBe('{"order":1}')
      expect(isReplay(again)).toBe(true)
      expect(again.body).toBe(first.body)
      expect(await effects()).toBe(1)
    })

    it('runs once for many that ask at the same time', async () => {
      const port = await serving({
        work: async (client) => {
          await takeEffect(client)
          return answer(201, { order: 1 })
        },
      })
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => exchange(port, { key: 'k' })),
      )
      expect(answers.filter(({ head }) => /HTTP\/1.1 (201|409)/.test(head))).toHaveLength(20)
      expect((await exchange(port, { key: 'k' })).body).toBe('{"order":1}')
      expect(await effects()).toBe(1)
    })

    it('rolls both back where the work throws, and runs again', async () => {
      let throws = true
      const port = await serving({
        work: async (client) => {
          await takeEffect(client)
          if (throws) throw new Error('no more')
          return answer(201, { order: 1 })
        },
      })
      expect((await exchange(port, { key: 'k' })).head).toContain(' 500 ')
      expect(await effects()).toBe(0)
      throws = false
      expect((await exchange(port, { key: 'k' })).head).toContain('201')
      expect(await effects()).toBe(1)
    })

    it('is plain without a key', async () => {
      const port = await serving({
        work: async (client, execution) => {
          expect(execution.protected).toBe(false)
          await takeEffect(client)
          return answer(201, { order: 1 })
        },
      })
      for (const count of [1, 2]) {
        expect((await exchange(port)).body).toBe('{"order":1}')
        expect(await effects()).toBe(count)
      }
    })

    it('gives the client what stands where another has taken over and ended meanwhile', async () => {
      let goOn = (): void => {}
      const goesOn = new Promise<void>((resolve) => {
        goOn = resolve
      })
      let isInside = false
      const port = await serving({
        work: async (client, { attempt }) => {
          await takeEffect(client)
          if (attempt === 1) {
            isInside = true
            await goesOn
          }
          return answer(201, { attempt })
        },
      })
      const first = exchange(port, { key: 'k' })
      await until('the first is inside', () => isInside)
      // Its lease is over, as that of a process that stood still.
      await pool.query(`UPDATE retrysafe_records SET lease_ends_at = now() - interval '1 s'`)
      const second = await exchange(port, { key: 'k' })
      goOn()
      const stands = await first
      expect(second.body).toBe('{"attempt":2}')
      expect(stands.body).toBe('{"attempt":2}')
      expect(isReplay(stands)).toBe(true)
      expect(await effects()).toBe(1)
    })
  },
)

afterAll(async () => {
  await store?.close()
  await pool?.end()
  await server?.stop()
})
