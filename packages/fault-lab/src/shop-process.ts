import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Order } from '../programs/reach.js'
import { type Place, places } from './kill-point.js'

/** How an effect is made: in the store's transaction, or beside the record, which a lease alone protects. */
export type Means = 'transaction' | 'lease'

/** What a shop process is started with. */
export interface ShopTerms {
  readonly address: string
  readonly means: Means
  readonly leaseMs: number
}

/** A shop in a process of its own. */
export interface ShopProcess {
  readonly port: number
  /** Tells it where to kill itself. */
  order(order: Order): void
  /** SIGKILL from outside. */
  kill(): void
  /** Where it was killed, when it has been. Rejects where it ends in any other way. */
  readonly killed: Promise<Place>
}

/** Starts a compiled program; resolves when it listens. */
export const startShopProcess = async (program: string, terms: ShopTerms): Promise<ShopProcess> => {
  const child = fork(program, [JSON.stringify(terms)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    // What the tests load in front of every process is compiled into this one.
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const killed = deathOf(child)
  // It is looked at when the process has listened.
  killed.catch(() => {})
  const port = await Promise.race([
    once(child, 'message').then(([given]) => given as number),
    killed.then(() => Promise.reject(new Error('A shop was killed before it listened'))),
  ])
  return {
    port,
    order: (order) => {
      // One that has just died by itself is told no more.
      child.send(order, () => {})
    },
    kill: () => {
      child.kill('SIGKILL')
    },
    killed,
  }
}

/** Believes in no point but the one that the process has named with its last breath. */
const deathOf = async (child: ChildProcess): Promise<Place> => {
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const [code, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`A shop has ended by itself, with ${code ?? signal}`)
  if (said === '') return 'random'
  if (Object.hasOwn(places, said)) return said as Place
  throw new Error(`A shop has said ${said}`)
}
