import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { environment } from './environment.js'

interface Line {
  readonly pid: number
  readonly parent: number
  /** Its first letter: T stands still, Z has ended and waits to be buried. */
  readonly state: string
}

const hasProc = existsSync('/proc/self/stat')

const readProc = (pid: string | number): Line | undefined => {
  try {
    // The name before it may hold brackets and spaces.
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    return { pid: Number(pid), parent: Number(parent), state }
  } catch {
    return undefined
  }
}

const fromPs = (args: readonly string[]): Line[] => {
  try {
    const text = execFileSync('ps', [...args, '-o', 'pid=,ppid=,state='], {
      env: environment,
      encoding: 'utf8',
    })
    return text
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .map(([pid, parent, state = '']) => ({ pid: Number(pid), parent: Number(parent), state }))
  } catch {
    // None of them is there.
    return []
  }
}

const lineOf = (pid: number): Line | undefined =>
  hasProc ? readProc(pid) : fromPs(['-p', `${pid}`])[0]

const allLines = (): Line[] =>
  hasProc
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((pid) => readProc(pid) ?? [])
    : fromPs(['-A'])

/** The processes that the process has started and not outlived. */
export const childrenOf = (pid: number): number[] =>
  allLines()
    .filter(({ parent, state }) => parent === pid && !state.startsWith('Z'))
    .map((line) => line.pid)

/** Whether the process has not ended. */
export const isRunning = (pid: number): boolean => {
  const line = lineOf(pid)
  return line !== undefined && !line.state.startsWith('Z')
}

/** Whether the process has been halted, or is no more. */
export const standsStill = (pid: number): boolean => /^[TZ]/.test(lineOf(pid)?.state ?? 'Z')

/** Sends the signal to those of the processes that are still there. */
export const signalAll = (pids: readonly number[], name: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It is gone.
    }
  }
}
