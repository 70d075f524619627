import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Answer, type OrderOptions, order } from './order.js'
import type { Said, ShopProcessTerms } from './programs/shop-process.js'
import type { Later } from './scene.js'

/** A shop in a process of its own. */
export interface ShopProcess {
  readonly port: number
  /** What it takes for the time, when it began to listen. */
  readonly startedAt: number
  order(key: string, options?: OrderOptions): Promise<Answer>
  /** Resolves when the next handler waits. */
  holding(): Promise<void>
  /** The handler that waits goes on. */
  goOn(): void
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
}

const otherClock = fileURLToPath(new URL('./programs/other-clock.mjs', import.meta.url))

/** Starts the program; its clock may be off. */
export const startShopProcess = async (
  later: Later,
  program: string,
  terms: ShopProcessTerms,
  clockOffByMs?: number,
): Promise<ShopProcess> => {
  const clock = clockOffByMs === undefined ? [] : [`--import=${otherClock}`]
  const child = fork(program, [JSON.stringify(terms)], {
    execArgv: clock,
    env: { CLOCK_OFF_BY_MS: String(clockOffByMs) },
  })
  later(async () => {
    child.kill('SIGKILL')
  })
  const listening = await next(child)
  if (!('listening' in listening)) throw new Error('A handler runs before anybody has asked')
  const { listening: port, now: startedAt } = listening
  return {
    port,
    startedAt,
    order: (key, options) => order(port, key, options),
    holding: async () => {
      await next(child)
    },
    goOn: () => {
      child.send('go on')
    },
    kill: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

/** What the child says next; rejects when it has nothing more to say. */
const next = async (child: ChildProcess): Promise<Said> => {
  const heard = new AbortController()
  const { signal } = heard
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([said]) => said as Said),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`The shop has ended with ${code}`)
      }),
    ])
  } finally {
    heard.abort()
  }
}
