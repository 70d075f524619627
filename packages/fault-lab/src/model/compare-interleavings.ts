import type { IdempotencyStore } from '@retrysafe/core'
import fc from 'fast-check'
import { type ModelRecord, model } from '../../../conformance/src/model.js'
import { give } from '../../../conformance/src/store/give.js'
import type { ComparedStore } from './compared-store.js'
import { type Interleaving, interleavings, prelude } from './interleaving.js'
import { type Given, isLinearizable } from './linearizable.js'

/** How many interleavings are tried, and with which seed. */
export interface InterleavingTerms {
  readonly seed: number
  readonly runs: number
}

/** What has come of it. */
export interface InterleavingOutcome {
  readonly runs: number
  readonly commands: number
  /** Runs whose commands were under way at the same time, and not one after the other by chance. */
  readonly overlapping: number
  /** What no order explains, shrunk, with its seed and path. */
  readonly disagreement: string | undefined
  readonly tookMs: number
}

const shown = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? [...value] : value

// As in a comparison by sequences: what remains may be half a second off.
const roomMs = 400

/** Callers come to one record at the same time, on two handles; a scheduler chooses who goes on. */
export const compareInterleavings = async (
  store: Pick<ComparedStore, 'open'>,
  { seed, runs }: InterleavingTerms,
): Promise<InterleavingOutcome> => {
  const startedAt = performance.now()
  const harness = await store.open(0)
  const handles = [await harness.open(), await harness.open()]
  let played = 0
  let commands = 0
  let overlapping = 0

  const begin = async (recordKey: string, { standing }: Interleaving) => {
    const { commands, passMs } = prelude(standing)
    let held: ModelRecord | undefined
    for (const command of commands) {
      await give(handles[0] as IdempotencyStore, recordKey, command)
      held = (
        command.verb === 'acquire'
          ? model.acquire(held, command.claim, 0)
          : model.write(held, command.write, 0)
      ).next
    }
    if (passMs > 0) await harness.pass(passMs)
    return { held, now: passMs }
  }

  const play = async (interleaving: Interleaving, scheduler: fc.Scheduler): Promise<void> => {
    const recordKey = `interleaved ${++played}`
    const { held, now } = await begin(recordKey, interleaving)
    const cameAt = performance.now()
    const given: Given[] = []
    let moments = 0
    const call = async (caller: number, command: Given['command']): Promise<void> => {
      await scheduler.schedule(Promise.resolve(), `caller ${caller} asks`)
      const askedAt = moments++
      const asked = give(handles[caller % 2] as IdempotencyStore, recordKey, command)
      const answered = asked.then((answer) => {
        given.push({ caller, command, answer, askedAt, answeredAt: moments++ })
      })
      await scheduler.schedule(answered, `caller ${caller} hears`)
    }
    await scheduler.waitFor(
      Promise.all(
        interleaving.callers.map(async (program, caller) => {
          for (const command of program) await call(caller, command)
        }),
      ),
    )
    const left = await (handles[0] as IdempotencyStore).read(recordKey)
    // A machine that stood still says nothing about the store.
    fc.pre(performance.now() - cameAt < roomMs)
    commands += given.length
    if (given.some(({ askedAt, answeredAt }) => answeredAt - askedAt > 1)) overlapping++
    if (isLinearizable({ before: held, given, left, now })) return
    throw new Error(
      `No order of these gives these answers, and leaves ${JSON.stringify(left, shown)}:\n` +
        given.map((one) => JSON.stringify(one, shown)).join('\n'),
    )
  }

  const details = await fc
    .check(fc.asyncProperty(interleavings, fc.scheduler(), play), { seed, numRuns: runs })
    .finally(() => harness.close())
  return {
    runs: details.numRuns,
    commands,
    overlapping,
    disagreement: details.failed ? await inWords(details) : undefined,
    tookMs: performance.now() - startedAt,
  }
}

const inWords = async (details: fc.RunDetails<[Interleaving, fc.Scheduler]>): Promise<string> => {
  const { seed, counterexamplePath, errorInstance } = details
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  const report = await fc.asyncDefaultReportMessage(details)
  return `seed ${seed}, path ${counterexamplePath}: ${why}\n${report ?? ''}`
}
