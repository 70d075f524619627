import { guard } from '../../../redis/test/servers/guard.js'
import type { ServerProcess } from '../../../redis/test/servers/server-process.js'
import { until } from '../../../redis/test/servers/until.js'
import { childrenOf, isRunning, signalAll, standsStill } from './process-table.js'

/** Halts a process that starts others, and answers them: there will be no more. */
const haltParent = async (pid: number): Promise<number[]> => {
  signalAll([pid], 'SIGSTOP')
  await until('the postmaster stands still', () => standsStill(pid))
  return childrenOf(pid)
}

/** Kills the postmaster and its children; resolves when nobody holds its shared memory any more. */
export const killTree = async (postmaster: ServerProcess): Promise<void> => {
  const children = await haltParent(postmaster.pid)
  // They first: one that outlives its postmaster tells its client so, which no crash of a machine does.
  signalAll(children, 'SIGKILL')
  await postmaster.end('SIGKILL')
  await until('the children are gone', () => !children.some(isRunning))
}

/**
 * Halts the postmaster and its children, and resolves with what lets them go on when none does anything any more. If
 * this process is killed meanwhile, they go too: one that stands still would not notice its postmaster's death.
 */
export const halt = async (pid: number, folder: string): Promise<() => void> => {
  const children = await haltParent(pid)
  const guards = children.map((child) => guard(child, folder))
  signalAll(children, 'SIGSTOP')
  await until('the children stand still', () => children.every(standsStill))
  return () => {
    for (const callOff of guards) callOff()
    signalAll([...children, pid], 'SIGCONT')
  }
}
