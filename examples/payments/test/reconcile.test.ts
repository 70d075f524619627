import { describe, expect, test } from 'vitest'
import { pay, payout } from './client.js'
import { retriedAfterKill } from './payments.js'

const timeout = 60_000

describe('A payout to a provider that knows no keys, which is asked first', () => {
  const body = { charge: 'ch_1', ...payout }

  test.concurrent('has been charged: the client hears of that charge, and the handler does not run', {
    timeout,
  }, async ({ onTestFinished }) => {
    const { url, answer, findLine, charges, hasRun } = await retriedAfterKill(
      { point: 'after-charge', onDoubt: 'reconcile', keys: 'off' },
      onTestFinished,
    )
    expect(answer).toMatchObject({ status: 201, body })
    expect(await findLine(/^ {2}the provider has ch_1 under /, 5_000)).toBeTruthy()
    expect(hasRun()).toBe(false)
    expect(await pay(url, 'k')).toMatchObject({ status: 201, replayed: true, body })
    expect(await charges()).toHaveLength(1)
  })

  test.concurrent('has not been charged: the handler runs, and charges once', {
    timeout,
  }, async ({ onTestFinished }) => {
    const { url, answer, findLine, charges, willHaveRun } = await retriedAfterKill(
      { point: 'before-charge', onDoubt: 'reconcile', keys: 'off' },
      onTestFinished,
    )
    expect(answer).toMatchObject({ status: 201, replayed: false, body })
    expect(await findLine(/^ {2}the provider has nothing under /, 5_000)).toBeTruthy()
    expect(await willHaveRun()).toBeTruthy()
    expect(await pay(url, 'k')).toMatchObject({ status: 201, replayed: true, body })
    expect(await charges()).toHaveLength(1)
  })
})
