import { isSynchronised } from './form-cluster.js'
import { type RedisConfig, type RedisServer, startRedis } from './redis-server.js'
import { orStopAll, startAll, stopAll } from './start-all.js'
import { until } from './until.js'

/** How a master, a replica and their sentinels are started. */
export interface StartSentinelOptions {
  /** For the master and the replica, over the defaults. */
  readonly config?: RedisConfig
}

/** A master with one replica, and three sentinels that watch them. */
export interface RedisSentinel {
  /** What the sentinels call the master. */
  readonly name: string
  /** At first the master, then the replica. */
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** For `new Redis({ ...connection })`. */
  readonly connection: { name: string; sentinels: { host: string; port: number }[] }
  /** The server that the sentinels announce; waits while they disagree. */
  master(): Promise<RedisServer>
  /** Kills the master, waits until another is announced and takes writes, and answers that. */
  failover(): Promise<RedisServer>
  /** Waits until another server than `former` is announced and takes writes. */
  nextMaster(former: RedisServer): Promise<RedisServer>
  stop(): Promise<void>
}

const name = 'retrysafe'

/** Starts a master, a replica and three sentinels; resolves when a failover would succeed. */
export const startSentinel = async ({
  config = {},
}: StartSentinelOptions = {}): Promise<RedisSentinel> => {
  const common = { 'repl-diskless-sync-delay': 0, ...config }
  const started: RedisServer[] = []
  return orStopAll(started, async () => {
    const first = await startRedis({ config: common })
    started.push(first)
    const replicaof = `${first.host} ${first.port}`
    const second = await startRedis({ config: { ...common, replicaof } })
    started.push(second)
    await until('the replica has its copy', () => isSynchronised(second))

    const sentinels = await startAll(3, { mode: 'sentinel', config: watching(first) })
    started.push(...sentinels)
    await Promise.all(
      sentinels.map((sentinel) => until('the sentinels know each other', () => isReady(sentinel))),
    )
    return sentinelOf([first, second], sentinels)
  })
}

const watching = ({ host, port }: RedisServer): RedisConfig => ({
  'sentinel monitor': `${name} ${host} ${port} 2`,
  'sentinel down-after-milliseconds': `${name} 500`,
  // Twice this passes before sentinels that could not agree on a leader try again.
  'sentinel failover-timeout': `${name} 1000`,
})

const isReady = async (sentinel: RedisServer): Promise<boolean> => {
  const answer = (await sentinel.ask('SENTINEL', 'MASTER', name)) as string[]
  const field = (wanted: string) => answer[answer.indexOf(wanted) + 1]
  return field('num-slaves') === '1' && field('num-other-sentinels') === '2'
}

const sentinelOf = (
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
): RedisSentinel => {
  const announced = async (): Promise<RedisServer | undefined> => {
    const answers = await Promise.all(
      sentinels
        .filter(({ isUp }) => isUp)
        .map((sentinel) => sentinel.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)),
    )
    const ports = new Set(answers.map((answer) => Number((answer as string[])[1])))
    return ports.size === 1 ? servers.find(({ port }) => ports.has(port)) : undefined
  }
  const master = () => until('the sentinels announce one master', announced)
  const nextMaster = (former: RedisServer) =>
    until('the sentinels announce another master', async () => {
      const server = await announced()
      if (!server || server === former) return false
      const [role] = (await server.ask('ROLE')) as string[]
      return role === 'master' && server
    })

  return {
    name,
    servers,
    sentinels,
    connection: { name, sentinels: sentinels.map(({ host, port }) => ({ host, port })) },
    master,
    nextMaster,
    async failover() {
      const former = await master()
      await former.kill()
      return nextMaster(former)
    },
    stop: () => stopAll([...sentinels, ...servers]),
  }
}
