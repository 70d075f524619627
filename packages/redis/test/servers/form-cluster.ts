import { readView } from './cluster-view.js'
import type { RedisServer } from './redis-server.js'
import { until } from './until.js'

const slotCount = 16_384

/**
 * Makes a cluster of empty servers, as `redis-cli --cluster create` does: the first ones become masters and share the
 * slots, the others their replicas in turn. Resolves when every node finds it whole and every replica has its copy.
 */
export const formCluster = async (
  nodes: readonly RedisServer[],
  masterCount: number,
): Promise<void> => {
  const masters = nodes.slice(0, masterCount)
  const replicas = nodes.slice(masterCount)
  await Promise.all(
    nodes.map((node, index) => node.ask('CLUSTER', 'SET-CONFIG-EPOCH', `${index + 1}`)),
  )
  await Promise.all(
    masters.map((master, index) => master.ask('CLUSTER', 'ADDSLOTS', ...share(index, masterCount))),
  )
  // Everybody to everybody: gossip would get there too, but later.
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node)
    await Promise.all(others.map(({ host, port }) => node.ask('CLUSTER', 'MEET', host, `${port}`)))
  }
  await all(nodes, 'the nodes know each other', async (node) => {
    const view = readView(await node.ask('CLUSTER', 'NODES'))
    return view.length === nodes.length && !view.some(({ flags }) => flags.includes('handshake'))
  })
  await Promise.all(
    replicas.map(async (replica, index) => {
      const master = masters[index % masterCount]
      await replica.ask('CLUSTER', 'REPLICATE', String(await master?.ask('CLUSTER', 'MYID')))
    }),
  )
  await all(replicas, 'the replica has its copy', isSynchronised)
  await all(nodes, 'the node finds the cluster whole', async (node) => {
    const view = readView(await node.ask('CLUSTER', 'NODES'))
    const known = view.filter(({ flags }) => flags.includes('slave')).length
    return known === replicas.length && (await isWhole(node))
  })
}

/** Whether the node finds that every slot is held. */
export const isWhole = async (node: RedisServer): Promise<boolean> =>
  String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok')

/** Whether the replica has its master's data, and hears of what is written from now on. */
export const isSynchronised = async (replica: RedisServer): Promise<boolean> =>
  String(await replica.ask('INFO', 'replication')).includes('master_link_status:up')

const share = (index: number, of: number): string[] => {
  const first = Math.floor((index * slotCount) / of)
  const end = Math.floor(((index + 1) * slotCount) / of)
  return Array.from({ length: end - first }, (_, offset) => `${first + offset}`)
}

const all = async (
  nodes: readonly RedisServer[],
  what: string,
  holds: (node: RedisServer) => Promise<boolean>,
): Promise<void> => {
  await Promise.all(nodes.map((node) => until(`${what}: port ${node.port}`, () => holds(node))))
}
