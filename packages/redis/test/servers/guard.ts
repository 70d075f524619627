import { spawn } from 'node:child_process'

// The pipe ends with the process that holds its other end, in whatever way that ends.
const script = `
  while read -r line; do :; done
  kill -s "$3" "$1"
  # One that stands still obeys when it goes on.
  kill -s CONT "$1"
  tries=50
  while [ "$tries" -gt 0 ] && kill -0 "$1"; do sleep 0.1; tries=$((tries - 1)); done
  kill -s KILL "$1"
  rm -rf "$2"`

/**
 * Sees to it that the process and its folder go when this process does, though it be killed. To be called off with the
 * answer once the process is gone. The signal is the first one sent: whoever disobeys for five seconds is killed.
 */
export const guard = (
  pid: number,
  folder: string,
  signal: 'KILL' | 'QUIT' = 'KILL',
): (() => void) => {
  const child = spawn('/bin/sh', ['-c', script, 'guard', String(pid), folder, signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: '/usr/bin:/bin' },
    // Ctrl-C is for the tests, and must not reach the one who cleans up after them.
    detached: true,
  })
  child.unref()
  child.stdin.on('error', () => {})
  if ('unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref()
  return () => {
    child.kill('SIGKILL')
  }
}
