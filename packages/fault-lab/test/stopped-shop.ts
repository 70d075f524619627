import { fork } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { Stop } from '../programs/stopped-at.js'
import type { Answer } from '../src/sender.js'
import type { ShopTerms } from '../src/shop-process.js'

/** A shop in a process of its own, which stops itself where the key of a request says so. */
export interface StoppedShop {
  /** Sends an order once, and answers whatever comes. */
  order(key: string): Promise<Answer>
  /** Where it has stopped, when it has. */
  readonly stopped: Promise<Stop>
  /** SIGCONT. */
  goOn(): void
}

/** Starts a compiled program; resolves when it listens. It goes with the test, stopped or not. */
export const startStoppedShop = async (program: string, terms: ShopTerms): Promise<StoppedShop> => {
  const child = fork(program, [JSON.stringify(terms)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    // What the tests load in front of every process is compiled into this one.
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const kill = () => void child.kill('SIGKILL')
  // One that is stopped does not see that its tests are gone.
  process.once('exit', kill)
  onTestFinished(() => {
    kill()
    process.off('exit', kill)
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`A shop has ended, with ${code ?? signal}`)
  })
  const said = once(child.stdout?.setEncoding('utf8') as NodeJS.ReadableStream, 'data')
  const stopped = Promise.race([said, ended]).then(([place]) => place)
  // Not every shop is to stop.
  stopped.catch(() => {})
  const [port] = await Promise.race([once(child, 'message'), ended])

  return {
    order: (key) => {
      const answer = ask(port, key)
      // A test that has failed waits for no answer.
      answer.catch(() => {})
      return answer
    },
    stopped,
    goOn: () => void child.kill('SIGCONT'),
  }
}

const ask = async (port: number, key: string): Promise<Answer> => {
  const headers = { 'idempotency-key': key }
  const response = await fetch(`http://127.0.0.1:${port}/orders`, { method: 'POST', headers })
  return {
    status: response.status,
    body: await response.text(),
    replayed: response.headers.get('idempotent-replayed') === 'true',
  }
}
