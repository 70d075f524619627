import { Pool, type PoolConfig } from 'pg'

/**
 * A pool for a server of the tests. `end()` resolves before its last connections are closed, so that a server which
 * stops then still ends them: that is no error of anybody's.
 */
export const openPool = (url: string, config: PoolConfig = {}): Pool => {
  const pool = new Pool({ ...config, connectionString: url })
  pool.on('error', () => {})
  return pool
}
