import { describe, expect, it } from 'vitest'
import { type ModelRecord, model } from '../../conformance/src/model.js'
import {
  type Defect,
  referenceHarness,
  wrongAtomicity,
  wrongWrite,
} from '../../conformance/test/store/defect.js'
import { hasSomePostgres } from '../../postgres/test/servers/some-postgres.js'
import { hasSomeRedis } from '../../redis/test/servers/some-redis.js'
import { compareInterleavings } from '../src/model/compare-interleavings.js'
import { compareSequences } from '../src/model/compare-sequences.js'
import type { ComparedStore } from '../src/model/compared-store.js'
import { comparisonReport } from '../src/model/model-report.js'
import { comparedPostgres, comparedRedis } from '../src/model/stores-on-servers.js'
import { comparedMemory, comparedSqlite } from '../src/model/stores-on-set-clocks.js'

// As `npm run model`, which has the time for a hundred thousand.
const seed = 7
const few = { seed, sequences: 120, ticks: 3 }

const comparedReference = (defect?: Defect): ComparedStore => ({
  name: 'memory',
  recordsPerBatch: 30,
  batchesAtOnce: 1,
  open: async () => {
    const harness = await referenceHarness(defect)
    return { ...harness, isLate: () => false, pass: harness.advance }
  },
  close: async () => {},
})

describe.concurrent.each<[string, boolean, () => Promise<ComparedStore>]>([
  ['memory', true, comparedMemory],
  ['SQLite', true, comparedSqlite],
  ['Redis', hasSomeRedis, comparedRedis],
  ['Postgres', hasSomePostgres, comparedPostgres],
])('The store on %s', (_, isThere, openStore) => {
  it.skipIf(!isThere)(
    'answers as the machine does, and as some order of it',
    async ({ expect }) => {
      const store = await openStore()
      try {
        const compared = await compareSequences(store, few)
        expect(compared.disagreements).toEqual([])
        expect(compared.commands).toBeGreaterThan(few.sequences)
        const interleaved = await compareInterleavings(store, { seed, runs: 60 })
        expect(interleaved.disagreement).toBeUndefined()
        expect(interleaved.commands).toBeGreaterThan(60)
      } finally {
        await store.close()
      }
    },
  )
})

describe('A store that differs', () => {
  const answersOk = wrongWrite((held, asked, now, sound) => ({
    ...sound.write(held, asked, now),
    answer: 'ok',
  }))

  it('is shown with what was done, and with what does it again', async () => {
    const store = comparedReference(answersOk)
    const compared = await compareSequences(store, few)
    expect(compared.disagreements.length).toBeGreaterThan(1)
    const [last] = compared.disagreements.slice(-1)
    expect(last?.difference).toMatch(/^seed \d+: [\s\S]*"verb":/)
    const { batch, difference } = last as (typeof compared.disagreements)[number]
    const again = await compareSequences(store, { ...few, ...batch, sequences: batch.records })
    expect(again.disagreements).toEqual([{ batch, difference }])
    const interleaved = await compareInterleavings(comparedReference(), { seed, runs: 1 })
    expect(comparisonReport('memory', { seed }, compared, interleaved)).toContain(
      `--stores memory --interleavings 0 --seed ${batch.seed} --sequences ${batch.records}`,
    )
  })

  it.each<[string, Defect]>([
    ['decides on what it has seen before', wrongAtomicity(() => true)],
    ['takes over twice', wrongAtomicity((held: ModelRecord | undefined) => held !== undefined)],
    ['acknowledges what it does not write', answersOk],
  ])('in that it %s is found where callers come at the same time', async (_, defect) => {
    const { disagreement } = await compareInterleavings(comparedReference(defect), {
      seed,
      runs: 500,
    })
    expect(disagreement).toContain('No order of these gives these answers')
    expect(disagreement).toContain(`seed ${seed}`)
  })

  it('is no store without a defect', async () => {
    const sound = comparedReference({ parts: () => ({ model }) })
    expect((await compareSequences(sound, few)).disagreements).toEqual([])
    const interleaved = await compareInterleavings(sound, { seed, runs: 500 })
    expect(interleaved.disagreement).toBeUndefined()
  })
})

describe('A store whose clock is too fast for the machine', () => {
  it('is asked again, by fewer at once', async () => {
    const sound = comparedReference()
    let opened = 0
    const late: ComparedStore = {
      ...sound,
      batchesAtOnce: 3,
      open: async (place) => {
        const isLate = opened++ < 2
        return { ...(await sound.open(place)), isLate: () => isLate }
      },
    }
    const compared = await compareSequences(late, few)
    expect(compared).toMatchObject({ repeated: 2, disagreements: [] })
    expect(opened).toBe(4 + 2)
    expect(compared.commands).toBe((await compareSequences(sound, few)).commands)
  })
})
