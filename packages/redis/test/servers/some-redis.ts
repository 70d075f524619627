import { hasRedisServer, startRedis } from './redis-server.js'

const given = process.env.REDIS_URL

/** Whether there is a server to talk to: one that can be started, or that of `REDIS_URL`. */
export const hasSomeRedis = hasRedisServer || Boolean(given)

/** A server to talk to, which may be somebody else's: its data is to be left alone, and it is not to be killed. */
export interface SomeRedis {
  readonly url: string
  stop(): Promise<void>
}

/** A server of our own; that of `REDIS_URL` only where none can be started. */
export const someRedis = async (): Promise<SomeRedis> => {
  if (hasRedisServer || !given) return startRedis()
  return { url: given, stop: async () => {} }
}
