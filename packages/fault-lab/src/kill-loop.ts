import { join } from 'node:path'
import { type Arena, counted } from './arena.js'
import { type Place, planOf } from './kill-point.js'
import { seededRandom } from './random.js'
import { type Answer, createSender } from './sender.js'
import { type Means, startShopProcess } from './shop-process.js'
import { openShops } from './shops.js'

/** What a loop is to do. */
export interface LoopTerms {
  /** The folder of the compiled programs. */
  readonly programs: string
  readonly means: Means
  /** How many processes are killed, at least. */
  readonly kills: number
  /** Decides the order of the kills and what is sent twice at once; what the processes make of it is theirs. */
  readonly seed: number
  /** At least so many keys are sent. @default as many as come while there are kills */
  readonly keys?: number
  /** Whoever is killed is followed after this time. @default 400 */
  readonly leaseMs?: number
}

/** What has come of a loop. */
export interface Outcome {
  readonly arena: string
  readonly terms: LoopTerms
  readonly planned: ReadonlyMap<Place, number>
  readonly hits: ReadonlyMap<Place, number>
  /** All answers that came whole, by key, in order. */
  readonly answers: ReadonlyMap<string, readonly Answer[]>
  /** What the last retry of each key was answered, after the last kill. */
  readonly last: ReadonlyMap<string, Answer>
  /** How often each key has taken effect. */
  readonly effects: ReadonlyMap<string, number>
  /** Why keys were sent again, and how often. */
  readonly again: ReadonlyMap<string, number>
  readonly tookMs: number
}

/** So many keys are under way at a time. */
const senders = 12

/** One in so many keys is sent by two at once. */
const twins = 4

/**
 * Two shop processes on one database are killed again and again, and followed by others, while keys are sent until
 * each is answered. Then every key is sent once more. Rejects where the loop itself went wrong.
 */
export const killLoop = async (arena: Arena, terms: LoopTerms): Promise<Outcome> => {
  const { programs, means, kills, seed, keys = 0, leaseMs = 400 } = terms
  const startedAt = performance.now()
  const random = seededRandom(seed)
  const plan = kills === 0 ? [] : random.shuffled(planOf(kills, arena.places))
  const program = join(programs, `${arena.program}.cjs`)
  const shops = openShops({
    start: () => startShopProcess(program, { address: arena.address, means, leaseMs }),
    processes: 2,
    plan,
    random,
  })
  const ended = new AbortController()
  const { send, again } = createSender(shops.port, { patienceMs: 60_000, signal: ended.signal })
  const answers = new Map<string, Answer[]>()
  const last = new Map<string, Answer>()

  let isOver = false
  const sendAll = async (): Promise<void> => {
    while (!isOver || answers.size < keys) {
      const key = `key-${answers.size}`
      const given: Answer[] = []
      answers.set(key, given)
      const one = async () => void given.push(await send(key))
      await Promise.all(random.below(twins) === 0 ? [one(), one()] : [one()])
    }
  }
  const sendAgain = async (rest: IterableIterator<string>): Promise<void> => {
    for (const key of rest) last.set(key, await send(key))
  }
  const bySenders = (work: () => Promise<void>) =>
    Promise.all(Array.from({ length: senders }, work))

  try {
    const over = shops.done.finally(() => {
      isOver = true
    })
    await Promise.all([over, bySenders(sendAll)])
    const rest = answers.keys()
    await bySenders(() => sendAgain(rest))
  } finally {
    ended.abort()
    await shops.stop()
  }
  return {
    arena: arena.name,
    terms,
    planned: counted(plan) as ReadonlyMap<Place, number>,
    hits: shops.hits,
    answers,
    last,
    effects: await arena.effects(),
    again,
    tookMs: performance.now() - startedAt,
  }
}
