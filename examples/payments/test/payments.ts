import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, type onTestFinished } from 'vitest'
import { killAll, startChild } from '../../inventory/demo/child.mjs'
import { type Answer, pay, settled } from './client.js'

process.once('exit', killAll)

/** A test that runs beside others says itself when it is finished. */
export type WhenFinished = typeof onTestFinished
export type OnDoubt = 'run-again' | 'reject' | 'reconcile'

/** Long enough to be seen, short enough to be waited for. */
const leaseMs = 1_000
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const start = (program: string, env: Record<string, string>, whenFinished: WhenFinished) => {
  const args = [`--import=${new URL('./die-at.mjs', import.meta.url)}`, here(program)]
  const started = startChild(process.execPath, args, { env: { DIE_AT: '', ...env } })
  whenFinished(async () => {
    await started.kill()
  })
  return started
}

const listening = async (
  program: string,
  env: Record<string, string>,
  whenFinished: WhenFinished,
) => {
  const started = start(program, { PORT: '0', ...env }, whenFinished)
  const line = await started.findLine(/listens on .*:(\d+) /, 30_000)
  if (!line) throw new Error(`${program} does not listen; it ended with ${await started.kill()}.`)
  return { ...started, port: line[1] as string, url: `http://127.0.0.1:${line[1]}` }
}

/** A folder with the files of one test. */
export const newFolder = (whenFinished: WhenFinished) => {
  const folder = mkdtempSync(join(tmpdir(), 'payments-test-'))
  whenFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }))
  return folder
}

export const startProvider = async (
  { folder, keys = 'on', port = '0' }: { folder: string; keys?: 'on' | 'off'; port?: string },
  whenFinished: WhenFinished,
) => {
  const env = { DATABASE: join(folder, 'provider.db'), KEYS: keys, PORT: port }
  const provider = await listening('../provider/server.mjs', env, whenFinished)
  /** What it has charged, oldest first. */
  const charges = async () =>
    (await (await fetch(`${provider.url}/charges`)).json()) as { readonly id: string }[]
  return { ...provider, charges }
}

interface Terms {
  readonly folder: string
  readonly providerUrl: string
  readonly onDoubt: OnDoubt
  readonly dieAt?: 'before-charge' | 'after-charge'
}

export const startApplication = (
  { folder, providerUrl, onDoubt, dieAt }: Terms,
  whenFinished: WhenFinished,
) => {
  const env = {
    DATABASE: join(folder, 'payouts.db'),
    PROVIDER_URL: providerUrl,
    ON_DOUBT: onDoubt,
    LEASE_MS: String(leaseMs),
    ...(dieAt && { DIE_AT: dieAt }),
  }
  return listening('../src/server.mjs', env, whenFinished)
}

/** Runs the operator's command; answers its exit code and what it has printed. */
export const operate = async (
  { folder, providerUrl }: { folder: string; providerUrl: string },
  args: readonly string[],
  whenFinished: WhenFinished,
) => {
  const env = { DATABASE: join(folder, 'payouts.db'), PROVIDER_URL: providerUrl }
  const command = startChild(process.execPath, [here('../src/operate.mjs'), ...args], { env })
  whenFinished(async () => {
    await command.kill()
  })
  return { code: await command.ended, lines: command.log }
}

/**
 * An application was killed at a point of its first payout, another has been started on its file, and the client
 * has tried again until the lease was over. Answers what the client has got then.
 */
export const retriedAfterKill = async (
  {
    point,
    onDoubt,
    keys,
  }: { point: 'before-charge' | 'after-charge'; onDoubt: OnDoubt; keys: 'on' | 'off' },
  whenFinished: WhenFinished,
) => {
  const folder = newFolder(whenFinished)
  const provider = await startProvider({ folder, keys }, whenFinished)
  const terms = { folder, providerUrl: provider.url, onDoubt }
  const before = await startApplication({ ...terms, dieAt: point }, whenFinished)
  await expect(pay(before.url, 'k')).rejects.toThrow()
  expect(await before.ended).toBe('SIGKILL')
  expect(await provider.charges()).toHaveLength(point === 'after-charge' ? 1 : 0)

  const { url, log, findLine } = await startApplication(terms, whenFinished)
  const answer: Answer = await settled(url, 'k')
  return {
    url,
    findLine,
    answer,
    charges: provider.charges,
    /** Whether a handler has come to the charge since. */
    hasRun: () => log.some((line) => line.includes(': charges ')),
    /** The same, waited for: what a process prints can come later than what it answers. */
    willHaveRun: () => findLine(/: charges /, 5_000),
    operate: (...args: string[]) => operate(terms, args, whenFinished),
  }
}
