import cluster from 'node:cluster'

/** On the process, not on this module: an application that mixes ESM and CommonJS holds it twice. */
const warned = Symbol.for('retrysafe.memory.cluster-warning')

const message =
  'memoryStore() is used in a process that has siblings (node:cluster, or pm2 by NODE_APP_INSTANCE). ' +
  'Each process has a store of its own, so a retry that reaches another one runs again. ' +
  'Use sqliteStore() of @retrysafe/sqlite for several processes on one machine, or redisStore() or ' +
  'postgresStore() for several machines.'

/**
 * The warning for a store in a process that visibly has siblings; once a process, to the first store that is made
 * in it. `undefined` everywhere else.
 */
export const clusterWarning = (): string | undefined => {
  const hasSiblings = cluster.isWorker || process.env.NODE_APP_INSTANCE !== undefined
  const marks = globalThis as { [warned]?: boolean }
  if (!hasSiblings || marks[warned]) return undefined
  marks[warned] = true
  return message
}
