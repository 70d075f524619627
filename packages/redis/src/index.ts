export type { Argument, RedisClient, RedisNode, RedisPipeline } from './redis-client.js'
export type { RedisOptions, RedisSource, RedisStoreOptions } from './redis-options.js'
export { redisStore } from './redis-store.js'
