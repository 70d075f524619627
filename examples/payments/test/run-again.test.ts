import { describe, expect, test } from 'vitest'
import { pay, payout } from './client.js'
import { retriedAfterKill } from './payments.js'

const timeout = 60_000

describe('A payout that is run again', () => {
  test.concurrent('after the charge, with the same key of the provider: one charge, and the client hears of it', {
    timeout,
  }, async ({ onTestFinished }) => {
    const { url, answer, findLine, willHaveRun, charges } = await retriedAfterKill(
      { point: 'after-charge', onDoubt: 'run-again', keys: 'on' },
      onTestFinished,
    )
    const body = { charge: 'ch_1', ...payout }
    expect(answer).toMatchObject({ status: 201, replayed: false, body })
    expect(await findLine(/^Attempt 2 of north; the one before was abandoned$/, 5_000)).toBeTruthy()
    expect(await willHaveRun()).toBeTruthy()
    expect(await pay(url, 'k')).toMatchObject({ status: 201, replayed: true, body })
    expect(await charges()).toHaveLength(1)
  })

  // What `derivedKey()` cannot do alone: the provider must know what to make of it.
  test.concurrent('after the charge, with a provider that knows no keys: two charges', {
    timeout,
  }, async ({ onTestFinished }) => {
    const { answer, charges } = await retriedAfterKill(
      { point: 'after-charge', onDoubt: 'run-again', keys: 'off' },
      onTestFinished,
    )
    expect(answer).toMatchObject({ status: 201, body: { charge: 'ch_2', ...payout } })
    const [first, second, ...others] = await charges()
    expect(second).toEqual({ ...first, id: 'ch_2' })
    expect(others).toEqual([])
  })
})
