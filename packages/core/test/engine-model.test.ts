import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { referenceStore, soundParts } from '../../conformance/src/reference-store.js'
import { InFlightError, isIdempotencyError } from '../src/errors.js'
import type { Execution } from '../src/execution.js'
import { createIdempotency } from '../src/run.js'
import type { IdempotencyStore } from '../src/store.js'
import {
  type Behaviour,
  behaviours,
  engineModel,
  type ModelRun,
  type ModelTerms,
  type Told,
} from './engine-model.js'
import { useFakeClock } from './fake-clock.js'
import { faultyStore, hangs } from './faulty-store.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

useFakeClock()
expectNoUnhandledRejections()

const processes = 2

type Command =
  | ({ readonly do: 'run'; readonly callers: number } & Omit<ModelRun, 'id'>)
  | { readonly do: 'end'; readonly which: number; readonly how: 'returns' | 'throws' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'crash'; readonly process: number }

const upTo = (count: number) => fc.nat(count - 1)
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('run' as const),
      callers: fc.constantFrom(1, 1, 1, 3),
      process: upTo(processes),
      key: fc.constantFrom(0, 0, 0, 1),
      payload: fc.constantFrom(0, 0, 0, 0, 1),
      behaviour: fc.constantFrom<Behaviour>(...behaviours, 'hangs', 'hangs'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: upTo(3),
      how: fc.constantFrom('returns' as const, 'throws' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 999, 19_999, 20_000, 40_000, 59_999, 60_000, 99_999, 150_000, 300_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('crash' as const), process: upTo(processes) }),
  },
)

const terms: fc.Arbitrary<ModelTerms> = fc.record({
  leaseMs: fc.constant(60_000),
  maxRunMs: fc.constantFrom(10_000, 150_000, 900_000),
  retentionMs: fc.constantFrom(1, 100_000, 1_000_000),
  doubtRetentionMs: fc.constantFrom(1, 300_000),
  onDoubt: fc.constantFrom('run-again', 'reject'),
})

/** What of a caller's fate can be seen. */
interface Seen {
  execution?: Execution
  told?: Told
  end(how: 'returns' | 'throws'): void
}

const toldOf = (error: unknown): Told => {
  if (error instanceof InFlightError) return { error: error.code, retryAfterMs: error.retryAfterMs }
  return { error: isIdempotencyError(error) ? error.code : (error as Error).message }
}

/** Processes on one store; a crashed one is replaced, and nothing of its own arrives any more. */
const processesOn = (store: IdempotencyStore, options: ModelTerms) => {
  const start = () => {
    const handle = faultyStore(store)
    return { handle, ...createIdempotency({ store: handle, ...options }) }
  }
  const all = Array.from({ length: processes }, start)
  return {
    run: (index: number) => all[index] as ReturnType<typeof start>,
    crash: (index: number): void => {
      const { handle } = all[index] as ReturnType<typeof start>
      for (const verb of ['acquire', 'renew', 'complete', 'fail', 'release', 'read'] as const) {
        handle.always(verb, hangs)
      }
      all[index] = start()
    },
  }
}

/** The work of a run, which does as its behaviour says. */
const called = (
  run: ReturnType<typeof createIdempotency>['run'],
  { id, key, payload, behaviour }: ModelRun,
): Seen => {
  let end = (_: 'returns' | 'throws'): void => {}
  const told = new Promise<'returns' | 'throws'>((resolve) => {
    end = resolve
  })
  const seen: Seen = { end: (how) => end(how) }
  if (!behaviour.endsWith('hangs')) end(behaviour.endsWith('throws') ? 'throws' : 'returns')
  const work = async (execution: Execution): Promise<number> => {
    seen.execution = execution
    if (behaviour.includes('says fail')) execution.fail()
    if (behaviour.includes('says release')) execution.release()
    if (behaviour.startsWith('marks')) await execution.markEffects()
    if ((await told) === 'throws') throw new Error('own')
    return id
  }
  run({ key: String(key), scope: 's', payload }, work).then(
    (value) => {
      seen.told = { value }
    },
    (error: unknown) => {
      seen.told = toldOf(error)
    },
  )
  return seen
}

const agrees = async (sequence: readonly Command[], options: ModelTerms): Promise<void> => {
  const model = engineModel(options)
  const real = processesOn(referenceStore(soundParts(() => performance.now())), options)
  const seen: Seen[] = []
  const startedAt: number[] = []
  const alive = new Set<number>()

  for (const [step, command] of sequence.entries()) {
    const now = performance.now()
    switch (command.do) {
      case 'run':
        for (let caller = 0; caller < command.callers; caller++) {
          const run = { ...command, id: seen.length }
          model.run(run, now)
          startedAt.push(now)
          alive.add(run.id)
          seen.push(called(real.run(command.process).run, run))
          // Callers come at the same instant where the first of them holds the key; else one after the other.
          if (!run.behaviour.endsWith('hangs')) await vi.advanceTimersByTimeAsync(0)
        }
        break
      case 'end': {
        const running = model.running()
        const id = running[command.which % running.length]
        if (id === undefined) break
        model.end(id, command.how, now)
        seen[id]?.end(command.how)
        break
      }
      case 'wait':
        await vi.advanceTimersByTimeAsync(command.ms)
        break
      case 'crash': {
        const before = model.running()
        model.crash(command.process, now)
        real.crash(command.process)
        const after = model.running()
        for (const id of before) if (!after.includes(id)) alive.delete(id)
      }
    }
    await vi.advanceTimersByTimeAsync(0)
    for (const id of alive) {
      const expected = model.outcome(id)
      const at = `run ${id} after step ${step}`
      expect(seen[id]?.execution?.attempt, `attempt of ${at}`).toBe(expected?.attempt)
      expect(seen[id]?.execution?.after, `after of ${at}`).toBe(expected?.after)
      expect(seen[id]?.told, at).toEqual(expected?.told)
      if (expected?.told !== undefined) alive.delete(id)
      else {
        const isOver = performance.now() - (startedAt[id] ?? 0) >= options.maxRunMs
        expect(seen[id]?.execution?.signal.aborted, `signal of ${at}`).toBe(isOver)
      }
    }
  }
}

it('the engine does what its model does, over random runs, ends, waits and crashes', {
  timeout: 60_000,
}, async () => {
  const property = fc.asyncProperty(
    terms,
    fc.array(commands, { maxLength: 40, size: 'max' }),
    async (options, sequence) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      await agrees(sequence, options)
    },
  )
  // The seed and the shrunken sequence are part of the message where it fails.
  await fc.assert(property, { numRuns: 300 })
})
