import { describe, expect, it } from 'vitest'
import { agreesWithModel, model } from '../../src/index.js'
import { referenceHarness, wrongWrite } from './defect.js'

const run = { seed: 7, records: 20, ticks: 10 }

describe('the comparison with the model', () => {
  it('holds for the reference store, whatever the seed', async () => {
    for (let seed = 1; seed <= 20; seed++)
      await agreesWithModel(await referenceHarness(), { ...run, seed })
  })

  it('tries every state, every verb and every kind of answer', async () => {
    const seen = new Set<string>()
    const harness = await referenceHarness({
      parts: () => ({
        model: {
          ...model,
          acquire: (held, claim, now) => {
            const step = model.acquire(held, claim, now)
            const answer =
              step.answer.kind === 'acquired'
                ? `acquired after ${step.answer.after}`
                : `exists ${step.answer.record.state}`
            seen.add(answer)
            return step
          },
          write: (held, asked, now) => {
            const step = model.write(held, asked, now)
            seen.add(`${asked.verb} ${step.answer}`)
            return step
          },
        },
      }),
    })
    await agreesWithModel(harness, { ...run, records: 40, ticks: 15 })
    const verbs = ['renew', 'complete', 'fail', 'release']
    expect([...seen].sort()).toEqual(
      [
        ...['nothing', 'failed', 'abandoned'].map((after) => `acquired after ${after}`),
        ...['in_flight', 'completed', 'failed'].map((state) => `exists ${state}`),
        ...verbs.flatMap((verb) => ['ok', 'stale', 'gone'].map((answer) => `${verb} ${answer}`)),
      ].sort(),
    )
  })

  it('tells the seed and all that was done to the record', async () => {
    const answersOk = wrongWrite((held, asked, now, sound) => ({
      ...sound.write(held, asked, now),
      answer: 'ok',
    }))
    const compared = agreesWithModel(await referenceHarness(answersOk), run)
    await expect(compared).rejects.toThrow(/^seed 7: [\s\S]*0 ms: \{"verb":/)
  })
})
