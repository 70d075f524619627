import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Address, ask } from './ask.js'
import { guard } from './guard.js'
import { until } from './until.js'

/** One process of a server, from its start to its death. */
export interface ServerProcess {
  readonly pid: number
  readonly isAlive: boolean
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  signal(name: 'SIGCONT' | 'SIGSTOP'): void
}

/** What a process is started with. */
export interface Launch {
  readonly program: string
  readonly args: readonly string[]
  readonly folder: string
  readonly address: Address
}

/** Starts a process and resolves when it answers. Rejects with the end of its log where it does not. */
export const launch = async ({
  program,
  args,
  folder,
  address,
}: Launch): Promise<ServerProcess> => {
  const log = openSync(logOf(folder), 'a')
  // Not in the group of the tests: Ctrl-C would reach a server before the test is over.
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  child.unref()
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`${program} could not be started`)
  const callOffGuard = guard(pid, folder)
  gone.then(callOffGuard)

  const process: ServerProcess = {
    pid,
    get isAlive() {
      return isAlive(child)
    },
    async kill() {
      child.kill('SIGKILL')
      if (isAlive(child)) child.ref()
      await gone
    },
    signal(name) {
      child.kill(name)
    },
  }
  try {
    const answers = until(`the server on port ${address.port} answers`, async () => {
      if (!isAlive(child)) return 'never' as const
      // Another server may have taken the port.
      const info = String(await ask(address, ['INFO', 'server']))
      return info.includes(`process_id:${pid}\r\n`) && (await ask(address, ['PING'])) === 'PONG'
    })
    if ((await answers) === 'never') throw new Error(`${program} has ended`)
    return process
  } catch (cause) {
    await process.kill()
    throw new Error(`No server on port ${address.port}:\n${endOfLog(folder)}`, { cause })
  }
}

const isAlive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

const logOf = (folder: string): string => join(folder, 'server.log')

const endOfLog = (folder: string): string =>
  readFileSync(logOf(folder), 'utf8').trimEnd().split('\n').slice(-15).join('\n')
