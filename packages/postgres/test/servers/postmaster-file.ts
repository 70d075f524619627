import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from './environment.js'

/** The lines of the file in which Postgres says who runs on a data folder, and how far that is. */
const linesOf = (data: string): string[] => {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

/** Whether that process takes connections. */
export const isReady = (data: string, pid: number): boolean => {
  const lines = linesOf(data)
  return lines[0] === `${pid}` && lines[7]?.trim() === 'ready'
}

/** What the system calls the piece of shared memory of the server that runs, or was killed, on the data folder. */
export const sharedMemoryOf = (data: string): string | undefined =>
  linesOf(data)[6]?.trim().split(/\s+/)[1]

/**
 * Frees the piece of shared memory that stays when a server is killed, until the next one on its folder. Where no next
 * one comes it would stay for ever, and macOS has room for 32.
 */
export const freeSharedMemory = (data: string): void => {
  const id = sharedMemoryOf(data)
  if (!id) return
  try {
    execFileSync('ipcrm', ['-m', id], { env: environment, stdio: 'ignore' })
  } catch {
    // It is gone, or there is no such program: 56 bytes.
  }
}
