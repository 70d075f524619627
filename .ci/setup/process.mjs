import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const windows = process.platform === 'win32'

// Windows spells the variable in its own way, and takes the first of two spellings.
const pathName = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH'

/**
 * Runs a command, at the root and with the directories of `path` before those of PATH. Answers its exit code
 * (128 and the signal where one ended it), and its output where `capture` is set.
 */
export const run = (
  command,
  args,
  { path = [], env = {}, cwd = root, capture = false, timeoutMs } = {},
) =>
  new Promise((resolve, reject) => {
    // npm, npx and pnpm are scripts on Windows, which only a shell starts; their arguments here need no quotes.
    const shell = windows && !/[\\/]/.test(command)
    const options = {
      cwd,
      env: { ...process.env, ...env, [pathName]: [...path, process.env[pathName]].join(delimiter) },
      shell,
      timeout: timeoutMs,
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    }
    const child = shell
      ? spawn([command, ...args].join(' '), options)
      : spawn(command, args, options)

    // In a terminal, Ctrl-C reaches the whole group by itself.
    const pass = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
    for (const signal of signals) process.on(signal, pass)

    const output = { stdout: '', all: '' }
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output.stdout += text
      output.all += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      output.all += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, pass)
      resolve({ code: code ?? 128 + constants.signals[signal], ...output })
    })
  })

/** Runs a Node.js program of the workspace, under the Node.js given; what it starts finds the same one. */
export const node = (program, args, { execPath = process.execPath, path = [], ...options } = {}) =>
  run(execPath, [program, ...args], { ...options, path: [...path, dirname(execPath)] })

/** As `run` with its output kept back: shown only where the command fails, which ends everything. */
export const quietly = async (what, running) => {
  const { code, stdout, all } = await running
  if (code === 0) return stdout
  throw Object.assign(new Error(`${all}\n${what} failed with exit code ${code}.`), {
    exitCode: code,
  })
}
