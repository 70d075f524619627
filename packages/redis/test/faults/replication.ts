import type { RedisServer } from '../servers/redis-server.js'
import { until } from '../servers/until.js'

/** What a server says of its replication. */
export const replicationOf = async (
  server: RedisServer,
  field: string,
): Promise<string | undefined> => {
  const info = String(await server.ask('INFO', 'replication'))
  return new RegExp(`^${field}:(.*?)\\r$`, 'm').exec(info)?.[1]
}

/** Waits until the replica has its master's data, and its master counts on it. */
export const linked = async (master: RedisServer, replica: RedisServer): Promise<void> => {
  await until('the replica has its copy, and its master knows', async () => {
    const status = await replicationOf(replica, 'master_link_status')
    const known = String(await master.ask('INFO', 'replication'))
    return status === 'up' && known.includes(`port=${replica.port},state=online`)
  })
}

/** Waits until the replica has all that its master has by now. */
export const copied = async (master: RedisServer, replica: RedisServer): Promise<void> => {
  const written = Number(await replicationOf(master, 'master_repl_offset'))
  await until('the replica has what its master has', async () => {
    return Number(await replicationOf(replica, 'slave_repl_offset')) >= written
  })
}
