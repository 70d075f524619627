import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { guard } from './guard.js'
import { until } from './until.js'

/** One process of a server, from its start to its death. */
export interface ServerProcess {
  readonly pid: number
  readonly isAlive: boolean
  /** Resolves when it has ended. */
  readonly gone: Promise<void>
  /** Sends the signal and resolves when the process has ended. */
  end(signal: 'SIGINT' | 'SIGKILL'): Promise<void>
}

/** What a process is started with. */
export interface Launch {
  readonly program: string
  readonly args: readonly string[]
  /** Where it runs and has its server.log; removed if this process is killed. */
  readonly folder: string
  /** Whether it, and not somebody else on its port, answers. */
  readonly isReady: (pid: number) => boolean | Promise<boolean>
  /** What ends it at once, but in order, if this process is killed. @default 'KILL' */
  readonly lastSignal?: 'KILL' | 'QUIT'
  /** Whom it runs as, and in what environment, where that is not ours. */
  readonly as?: Pick<SpawnOptions, 'uid' | 'gid' | 'env'>
}

/** Starts a process and resolves when it is ready. Rejects with the end of its log where that does not come. */
export const launch = async ({
  program,
  args,
  folder,
  isReady,
  lastSignal = 'KILL',
  as = {},
}: Launch): Promise<ServerProcess> => {
  const log = openSync(join(folder, 'server.log'), 'a')
  const child = spawn(program, args, {
    ...as,
    cwd: folder,
    stdio: ['ignore', log, log],
    // Not in the group of the tests: Ctrl-C would reach a server before the test is over.
    detached: true,
  })
  closeSync(log)
  child.unref()
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${program} could not be started`)
  gone.then(guard(pid, folder, lastSignal))

  const running: ServerProcess = {
    pid,
    gone,
    get isAlive() {
      return isAlive(child)
    },
    async end(signal) {
      child.kill(signal)
      if (isAlive(child)) child.ref()
      await gone
    },
  }
  try {
    const ready = until(`${program} is ready`, () => !isAlive(child) || isReady(pid))
    if ((await ready) && isAlive(child)) return running
    throw new Error(`${program} has ended`)
  } catch (cause) {
    await running.end('SIGKILL')
    throw new Error(`${program} does not run:\n${endOfLog(folder)}`, { cause })
  }
}

const isAlive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

const endOfLog = (folder: string): string =>
  readFileSync(join(folder, 'server.log'), 'utf8').trimEnd().split('\n').slice(-15).join('\n')
