/** For the tests: a package need not allow JavaScript to ask this one thing. */
export const findRedisServer: (env?: {
  readonly REDIS_SERVER?: string | undefined
  readonly PATH?: string | undefined
}) => string | undefined
