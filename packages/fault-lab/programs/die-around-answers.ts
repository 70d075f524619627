import { ServerResponse } from 'node:http'
import { reach } from './reach.js'

/** Keys whose effect this process has written, and whose answer has not left yet. */
const unanswered = new Set<string>()

/** An effect has been written for the key. */
export const hasTakenEffect = (key: string): void => {
  unanswered.add(key)
}

const keyOf = ({ req }: ServerResponse): string => String(req.headers['idempotency-key'])

/** Lets a process die before the first byte of an answer leaves, and when the last one has. */
export const dieAroundAnswers = (): void => {
  // An answer that is held back until its record stands comes by here only when it leaves.
  for (const name of ['writeHead', 'write', 'end'] as const) {
    const leave = ServerResponse.prototype[name] as (...given: never[]) => unknown
    ServerResponse.prototype[name] = function (this: ServerResponse, ...given: unknown[]) {
      if (this.statusCode === 201 && unanswered.has(keyOf(this))) {
        reach('before-answer')
        unanswered.delete(keyOf(this))
        this.once('finish', () => reach('after-answer'))
      }
      return Reflect.apply(leave, this, given)
    } as never
  }
}
