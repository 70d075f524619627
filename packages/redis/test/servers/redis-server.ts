import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer } from '../../../../.ci/setup/redis.mjs'
import { type Address, ask } from './ask.js'
import { freePort } from './free-port.js'
import { launch, type ServerProcess } from './server-process.js'
import { until } from './until.js'

/** Whether a server can be started here; for `describe.skipIf(!hasRedisServer)`. */
export const hasRedisServer = findRedisServer() !== undefined

/** Directives of redis.conf, each with what follows it on its line; an empty string stands for `""`. */
export type RedisConfig = Readonly<Record<string, string | number>>

/** How a server is started. */
export interface StartRedisOptions {
  /** Wins over the defaults, which keep nothing on disk: `save ""`, `appendonly no`. */
  readonly config?: RedisConfig
  /** @default 'server' */
  readonly mode?: 'server' | 'sentinel'
}

/** A server of our own, on 127.0.0.1, and with a folder of its own. It goes with the process that has started it. */
export interface RedisServer {
  readonly host: '127.0.0.1'
  readonly port: number
  /** Without the password, where the config has set one. */
  readonly url: string
  /** Its data, and server.log. */
  readonly folder: string
  /** Of the process that runs, or was the last to run. */
  readonly pid: number
  /** False while it is paused or killed, and after `stop`. */
  readonly isUp: boolean
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** SIGSTOP; resolves when it answers nothing any more. Its connections stay open. */
  pause(): Promise<void>
  /** SIGCONT. */
  resume(): void
  /** Starts what was killed, on the same port, folder and config; resolves when it answers. */
  start(): Promise<void>
  /** Kills it and removes its folder. May be called at any time, and again. */
  stop(): Promise<void>
  /** One command on a connection of its own, such as `ask('CONFIG', 'SET', 'maxmemory', '1')`. */
  ask(...command: string[]): Promise<unknown>
}

/** Starts a server on a free port; resolves when it answers. */
export const startRedis = async (options: StartRedisOptions = {}): Promise<RedisServer> => {
  for (let attempt = 1; ; attempt++) {
    const server = await prepare(options)
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      if (attempt === 5 || !/Address already in use/.test(String(error))) throw error
    }
  }
}

const prepare = async ({ config = {}, mode = 'server' }: StartRedisOptions) => {
  const program = findRedisServer()
  if (!program) throw new Error('There is no Redis server here; .ci/setup/redis.mjs brings one')
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-redis-'))
  const file = join(folder, 'redis.conf')
  const unkept = mode === 'server' ? { save: '', appendonly: 'no' } : {}
  const own = { port, bind: '127.0.0.1', dir: folder }
  // Sentinel writes to the file, and a start finds what it has written.
  writeFileSync(file, linesOf({ ...unkept, ...config, ...own }))

  const host = '127.0.0.1'
  const password = config.requirepass === undefined ? {} : { password: `${config.requirepass}` }
  const address: Address = { host, port, ...password }
  const args = mode === 'sentinel' ? [file, '--sentinel'] : [file]
  let running: ServerProcess | undefined
  let isPaused = false

  return {
    host,
    port,
    url: `redis://${host}:${port}`,
    folder,
    get pid() {
      if (!running) throw new Error('The server has not been started')
      return running.pid
    },
    get isUp() {
      return running?.isAlive === true && !isPaused
    },
    async kill() {
      await running?.end('SIGKILL')
    },
    async pause() {
      if (!running?.isAlive) throw new Error('A server that does not run cannot be paused')
      isPaused = true
      const { pid } = running
      process.kill(pid, 'SIGSTOP')
      await until('the server stands still', () => standsStill(pid))
    },
    resume() {
      isPaused = false
      if (running?.isAlive) process.kill(running.pid, 'SIGCONT')
    },
    async start() {
      if (running?.isAlive) throw new Error('The server runs already')
      isPaused = false
      // Another server may have taken the port.
      const isReady = async (pid: number): Promise<boolean> => {
        const info = String(await ask(address, ['INFO', 'server']))
        return info.includes(`process_id:${pid}\r\n`) && (await ask(address, ['PING'])) === 'PONG'
      }
      running = await launch({ program, args, folder, isReady })
    },
    async stop() {
      await running?.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
    },
    ask: (...command) => ask(address, command),
  } satisfies RedisServer
}

const linesOf = (config: RedisConfig): string =>
  Object.entries(config)
    .map(([directive, value]) => `${directive} ${value === '' ? '""' : value}\n`)
    .join('')

// The signal is sent when kill() returns, but obeyed a moment later. Only Linux has a file to see that in.
const standsStill = (pid: number): boolean => {
  const file = `/proc/${pid}/stat`
  return !existsSync(file) || /\) T /.test(readFileSync(file, 'utf8'))
}
