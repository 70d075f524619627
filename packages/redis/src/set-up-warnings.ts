import type { RedisClient, RedisNode } from './redis-client.js'

/** What about the servers could lose records that were acknowledged, in words for an operator. */
export const setUpWarnings = async (client: RedisClient): Promise<readonly string[]> => {
  const servers: readonly RedisNode[] = client.nodes?.('master') ?? [client]
  const found = await Promise.all(servers.map(warningsOf))
  return [...new Set(found.flat())]
}

const warningsOf = async (server: RedisNode): Promise<string[]> => {
  const [memory, persistence, save] = await Promise.all([
    server.callBuffer('info', 'memory'),
    server.callBuffer('info', 'persistence'),
    // A hosted server may refuse to tell; then it is not known to keep nothing.
    server.callBuffer('config', 'GET', 'save').catch(() => undefined),
  ])
  const policy = fieldOf(memory, 'maxmemory_policy')
  const warnings: string[] = []
  if (policy !== undefined && policy !== 'noeviction')
    warnings.push(
      `Redis may evict records to make room (maxmemory-policy ${policy}): a retry would run again. ` +
        'Set maxmemory-policy to noeviction.',
    )
  const snapshots = Array.isArray(save) ? String(save[1]) : undefined
  if (fieldOf(persistence, 'aof_enabled') === '0' && snapshots === '')
    warnings.push(
      'Redis keeps nothing on disk (appendonly no, save ""): when the server stops, its records are gone and ' +
        'a retry would run again. Set appendonly to yes.',
    )
  return warnings
}

const fieldOf = (info: unknown, name: string): string | undefined =>
  String(info)
    .split('\r\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)
