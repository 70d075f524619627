import { type RedisServer, type StartRedisOptions, startRedis } from './redis-server.js'

/** Starts several servers at once. Where one does not start, none stays. */
export const startAll = async (
  count: number,
  options: StartRedisOptions,
): Promise<RedisServer[]> => {
  const starts = await Promise.allSettled(Array.from({ length: count }, () => startRedis(options)))
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const failure = starts.find((start) => start.status === 'rejected')
  if (!failure) return servers
  await stopAll(servers)
  throw failure.reason
}

/** Stops several servers at once. */
export const stopAll = async (servers: readonly RedisServer[]): Promise<void> => {
  await Promise.all(servers.map((server) => server.stop()))
}

/** Does something with servers that are up, and stops them where it fails. */
export const orStopAll = async <Result>(
  servers: readonly RedisServer[],
  work: () => Promise<Result>,
): Promise<Result> => {
  try {
    return await work()
  } catch (error) {
    await stopAll(servers)
    throw error
  }
}
