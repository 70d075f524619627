import { setTimeout as delay } from 'node:timers/promises'
import type { IdempotencyStore } from '@retrysafe/core'
import { agreesWithModel } from '../../../conformance/src/store/agrees-with-model.js'
import type { ComparedHarness, ComparedStore } from './compared-store.js'

/** How much is compared. Batches have seeds that follow each other, so that one can be played again by itself. */
export interface ComparisonTerms {
  readonly seed: number
  /** How many records have a history each. */
  readonly sequences: number
  /** How often the clock goes on; between that a record is given none to three commands. */
  readonly ticks: number
}

/** What has come of it. */
export interface Comparison {
  readonly sequences: number
  readonly commands: number
  readonly disagreements: readonly Disagreement[]
  /** Batches that were played once more, because the machine was too slow for the clock. */
  readonly repeated: number
  readonly tookMs: number
}

/** Where the store and the model differ. Its batch alone brings it back. */
export interface Disagreement {
  readonly batch: Batch
  /** The seed, what differs, and all that was done to the record. */
  readonly difference: string
}

/** Records that live side by side. */
export interface Batch {
  readonly seed: number
  readonly records: number
}

const batchesOf = ({ seed, sequences }: ComparisonTerms, most: number): Batch[] =>
  Array.from({ length: Math.ceil(sequences / most) }, (_, index) => ({
    seed: seed + index,
    records: Math.min(most, sequences - index * most),
  }))

const counting = (harness: ComparedHarness) => {
  let commands = 0
  const counted = (store: IdempotencyStore): IdempotencyStore => {
    const count = <Given extends readonly unknown[], Answer>(verb: (...given: Given) => Answer) => {
      return (...given: Given): Answer => {
        commands++
        return verb(...given)
      }
    }
    return {
      ...store,
      acquire: count(store.acquire),
      renew: count(store.renew),
      complete: count(store.complete),
      fail: count(store.fail),
      release: count(store.release),
    }
  }
  return {
    ...harness,
    open: async () => counted(await harness.open()),
    commands: () => commands,
  }
}

/** Holds a store against the model, record by record: many side by side, with a history each. */
export const compareSequences = async (
  store: ComparedStore,
  terms: ComparisonTerms,
): Promise<Comparison> => {
  const startedAt = performance.now()
  const waiting = batchesOf(terms, store.recordsPerBatch)
  const batches = waiting.length
  const disagreements: Disagreement[] = []
  let commands = 0
  let repeated = 0
  let running = 0
  const places = Array.from({ length: store.batchesAtOnce }, (_, at) => at / store.batchesAtOnce)
  let allowed = places.length

  /** Whether it says anything. */
  const play = async (batch: Batch, place: number): Promise<boolean> => {
    const harness = counting(await store.open(place))
    try {
      const difference = await agreesWithModel(harness, { ...batch, ticks: terms.ticks }).then(
        () => undefined,
        (error: Error) => error.message,
      )
      if (harness.isLate()) return false
      if (difference !== undefined) disagreements.push({ batch, difference })
      commands += harness.commands()
      return true
    } finally {
      await harness.close()
    }
  }

  /** Plays one batch after the other at one place, until nothing waits or there are too many. */
  const work = async (place: number): Promise<void> => {
    while (waiting.length > 0 && running <= allowed) {
      const batch = waiting.shift() as Batch
      if (await play(batch, place)) {
        allowed = Math.min(allowed + 1, store.batchesAtOnce)
        continue
      }
      waiting.push(batch)
      allowed = Math.max(1, running - 1)
      if (++repeated > 20 + batches)
        throw new Error(`The machine is too slow to hold ${store.name} to its clock`)
    }
  }

  const working = new Set<Promise<void>>()
  while (waiting.length > 0 || running > 0) {
    if (waiting.length > 0 && running < allowed) {
      const place = places.shift() as number
      running++
      const worked = work(place).finally(() => {
        running--
        places.push(place)
        working.delete(worked)
      })
      working.add(worked)
    }
    // One more a second: the first calls of a batch are its slowest.
    await Promise.race([...working, delay(1000)])
  }
  return {
    sequences: terms.sequences,
    commands,
    disagreements,
    repeated,
    tookMs: performance.now() - startedAt,
  }
}
