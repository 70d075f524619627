import assert from 'node:assert/strict'
import type { Acquisition, IdempotencyStore } from '@retrysafe/core'
import { type ModelRecord, model } from '../model.js'
import { sameAcquisition, sameRecord } from './compare.js'
import { give } from './give.js'
import type { StoreGuarantee, StoreHarness } from './harness.js'
import { randomFrom } from './random.js'
import { type Command, randomCommands } from './random-command.js'

/** How much a comparison with the model tries. Everything in it follows from the seed. */
export interface RandomRun {
  readonly seed: number
  /** How many records live side by side, each with a history of its own. */
  readonly records: number
  /** How many times the clock goes on, by one or two seconds, for all of them. */
  readonly ticks: number
}

const listed = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? [...value] : value

/** One record in the store and in the model; gives a command to both and compares what they say. */
const twins = (recordKey: string) => {
  let held: ModelRecord | undefined
  return {
    holder: () => held?.token,
    give: async (store: IdempotencyStore, command: Command, now: number): Promise<void> => {
      if (command.verb === 'acquire') {
        const expected = model.acquire(held, command.claim, now)
        held = expected.next
        sameAcquisition((await give(store, recordKey, command)) as Acquisition, expected.answer)
      } else {
        const expected = model.write(held, command.write, now)
        held = expected.next
        assert.equal(await give(store, recordKey, command), expected.answer)
      }
      sameRecord(await store.read(recordKey), model.read(held, now))
    },
  }
}

/**
 * Gives random commands to a store and to the model, and compares answer by answer and record by record.
 * Rejects at the first difference, with the seed and all that was done to the record in question.
 */
export const agreesWithModel = async (
  harness: StoreHarness,
  { seed, records, ticks }: RandomRun,
): Promise<void> => {
  const handles = [await harness.open(), await harness.open()] as const
  const clock = randomFrom(seed)
  const lanes = Array.from({ length: records }, (_, index) => {
    const random = randomFrom(clock(2 ** 32))
    const recordKey = `random ${index}`
    return { random, choose: randomCommands(recordKey, random), ...twins(recordKey) }
  })
  const histories = lanes.map((): string[] => [])
  let now = 0

  const runLane = async (lane: (typeof lanes)[number], history: string[]): Promise<void> => {
    for (let left = lane.random(4); left > 0; left--) {
      const command = lane.choose(lane.holder())
      history.push(`${now} ms: ${JSON.stringify(command, listed)}`)
      await lane.give(handles[lane.random(2) as 0 | 1], command, now).catch((cause: unknown) => {
        const difference = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`seed ${seed}: ${difference}\n${history.join('\n')}`, { cause })
      })
    }
  }

  for (let tick = 0; tick < ticks; tick++) {
    // Records side by side, the commands of each in turn: so what each answers follows from the seed alone.
    await Promise.all(lanes.map((lane, index) => runLane(lane, histories[index] as string[])))
    if (clock(3) === 0) await handles[0].purgeExpired(1 + clock(5))
    const ms = 1000 * (1 + clock(2))
    await harness.advance(ms)
    now += ms
  }
}

/** The whole machine at once. */
export const wholeMachine: readonly StoreGuarantee[] = [
  {
    name: 'random commands are answered as the model answers them',
    points: [
      '1: the attempt only grows while the record lives',
      '1: a completed result never changes',
      '1: a replay never moves the expiry',
      '1: a writer that lost its lease changes nothing',
      '12',
      '13',
    ],
    check: (harness) => agreesWithModel(harness, { seed: 20_261_124, records: 40, ticks: 15 }),
  },
]
