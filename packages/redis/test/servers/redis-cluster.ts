import { holderOf, type NodeLine, readView } from './cluster-view.js'
import { formCluster, isWhole } from './form-cluster.js'
import type { RedisConfig, RedisServer } from './redis-server.js'
import { orStopAll, startAll, stopAll } from './start-all.js'
import { until } from './until.js'

/** How a cluster is started. */
export interface StartClusterOptions {
  /** @default 3 */
  readonly masters?: number
  /** @default 1 */
  readonly replicasEach?: number
  /** For every node, over the defaults. */
  readonly config?: RedisConfig
}

/** A cluster of our own. Any of its nodes may be killed, paused and started again. */
export interface RedisCluster {
  /** At first the masters, then the replicas. */
  readonly nodes: readonly RedisServer[]
  /** For `new Cluster(startupNodes)`. */
  readonly startupNodes: { host: string; port: number }[]
  /** The node that holds the key's slot: after its death it stays that, until another has taken over. */
  masterOf(key: string): Promise<RedisServer>
  /** A replica of that node, one that is up. */
  replicaOf(key: string): Promise<RedisServer>
  /** Waits until another node than `former` holds the key's slot and serves it. */
  nextMasterOf(key: string, former: RedisServer): Promise<RedisServer>
  stop(): Promise<void>
}

/** Starts a cluster; resolves when it is whole and every replica has its copy. */
export const startCluster = async ({
  masters = 3,
  replicasEach = 1,
  config = {},
}: StartClusterOptions = {}): Promise<RedisCluster> => {
  const nodes = await startAll(masters * (1 + replicasEach), {
    config: {
      'cluster-enabled': 'yes',
      'cluster-node-timeout': 1_000,
      // However long it has not heard from its master, a replica takes over.
      'cluster-replica-validity-factor': 0,
      'repl-diskless-sync-delay': 0,
      ...config,
    },
  })
  await orStopAll(nodes, () => formCluster(nodes, masters))

  const lines = async (): Promise<NodeLine[]> => {
    const views = await Promise.allSettled(
      nodes.filter(({ isUp }) => isUp).map((node) => node.ask('CLUSTER', 'NODES')),
    )
    return views.flatMap((view) => (view.status === 'fulfilled' ? readView(view.value) : []))
  }
  const slotOf = (key: string): Promise<number> =>
    until('a node is up', async () =>
      Number(await nodes.find(({ isUp }) => isUp)?.ask('CLUSTER', 'KEYSLOT', key)),
    )
  const nodeOn = (port: number | undefined, what: string): RedisServer => {
    const found = nodes.find((node) => node.port === port)
    if (found) return found
    throw new Error(`No node is ${what}`)
  }
  const masterOf = async (key: string): Promise<RedisServer> => {
    const holder = holderOf(await slotOf(key), await lines())
    return nodeOn(holder?.port, `the master of ${key}`)
  }

  return {
    nodes,
    startupNodes: nodes.map(({ host, port }) => ({ host, port })),
    masterOf,
    async replicaOf(key) {
      const known = await lines()
      const holder = holderOf(await slotOf(key), known)
      const replicas = known.filter(
        ({ port, masterId }) => masterId === holder?.id && nodeOn(port, 'it').isUp,
      )
      return nodeOn(replicas[0]?.port, `a replica that is up of the master of ${key}`)
    },
    nextMasterOf: (key, former) =>
      until(`another node holds the slot of ${key}`, async () => {
        const master = await masterOf(key)
        return master !== former && (await isWhole(master)) && master
      }),
    stop: () => stopAll(nodes),
  }
}
