import type { PostgresServer } from '../../postgres/test/servers/postgres-server.js'
import { query } from '../../postgres/test/servers/query.js'
import { type Arena, counted } from './arena.js'
import { type Place, places } from './kill-point.js'

let arenas = 0

/** A database of its own on the server. */
export const postgresArena = async (server: PostgresServer): Promise<Arena> => {
  const name = `arena_${++arenas}`
  await server.query(`CREATE DATABASE ${name}`)
  const address = new URL(name, server.url).href
  // A key may be there twice: that is what is looked for.
  await query(address, 'CREATE TABLE effects (id serial PRIMARY KEY, key text NOT NULL)')
  return {
    name: 'Postgres',
    program: 'postgres-shop',
    address,
    places: Object.keys(places) as Place[],
    effects: async () => {
      const rows = await query<{ key: string }>(address, 'SELECT key FROM effects')
      return counted(rows.map(({ key }) => key))
    },
    close: async () => {
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}
