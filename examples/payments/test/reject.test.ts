import { describe, expect, test } from 'vitest'
import { pay, payout } from './client.js'
import { retriedAfterKill, type WhenFinished } from './payments.js'

const timeout = 60_000
const abandoned = 'Attempt 1 was abandoned. Whether it has charged is not known.'

describe('A payout that may have been charged, and is not run again', () => {
  const rejected = async (point: 'before-charge' | 'after-charge', whenFinished: WhenFinished) => {
    const scene = await retriedAfterKill({ point, onDoubt: 'reject', keys: 'on' }, whenFinished)
    const refusal = { status: 409, retryAfter: null, body: { code: 'outcome-unknown' } }
    expect(scene.answer).toMatchObject(refusal)
    expect(await pay(scene.url, 'k')).toMatchObject(refusal)
    expect(scene.hasRun()).toBe(false)
    expect(await scene.operate('inspect', 'north', 'k')).toEqual({ code: 0, lines: [abandoned] })
    return scene
  }

  test.concurrent('is answered by an operator who has found its charge', {
    timeout,
  }, async ({ onTestFinished }) => {
    const { url, operate, charges, hasRun } = await rejected('after-charge', onTestFinished)
    const body = { charge: 'ch_1', ...payout }
    expect(await operate('resolve', 'north', 'k', 'ch_1')).toEqual({
      code: 0,
      lines: ['resolved', `Completed in attempt 2: 201 ${JSON.stringify(body)}`],
    })
    expect(await pay(url, 'k')).toMatchObject({ status: 201, replayed: true, body })
    expect(hasRun()).toBe(false)
    expect(await charges()).toHaveLength(1)
    expect(await operate('resolve', 'north', 'k', 'run-again')).toMatchObject({
      code: 1,
      lines: ['completed', expect.stringContaining('ch_1')],
    })
  })

  test.concurrent('runs when an operator who has found no charge says so', {
    timeout,
  }, async ({ onTestFinished }) => {
    const { url, operate, charges, willHaveRun } = await rejected('before-charge', onTestFinished)
    expect(await operate('resolve', 'north', 'k', 'ch_1')).toEqual({ code: 1, lines: [] })
    expect(await operate('resolve', 'north', 'k', 'run-again')).toEqual({
      code: 0,
      lines: ['resolved', 'Attempt 2 has ended; the next retry runs.'],
    })
    expect(await charges()).toEqual([])
    const body = { charge: 'ch_1', ...payout }
    expect(await pay(url, 'k')).toMatchObject({ status: 201, replayed: false, body })
    expect(await willHaveRun()).toBeTruthy()
    expect(await charges()).toHaveLength(1)
  })
})
