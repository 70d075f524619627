import { expect, test } from 'vitest'
import type { Choice } from '../../demo/targets.mjs'
import { adjust, adjustments, onHand } from '../client.js'
import { describeOn, longestStartMs, newDatabase, serve, titleOf } from '../inventory.js'

const adjustment = { sku: 'A-100', delta: -5 }
const adjustedAs = (id: number) => JSON.stringify({ id, ...adjustment, onHand: 95 })
const adjusted = adjustedAs(1)

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The first answer that is not "in flight". */
const settledAnswer = async (url: string) => {
  for (;;) {
    const answer = await adjust(url, 'k', adjustment)
    if (answer.status !== 409) return answer
    await pause(100)
  }
}

/** What a killed process leaves to the next one. Where only the time of starts and leases counts, tests share it. */
export const describeKilled = (choice: Choice): void => {
  describeOn(choice, `A server ${titleOf(choice)} that is killed`, () => {
    test.concurrent('before the COMMIT: nothing has happened, and the retry makes it happen', {
      timeout: 60_000,
    }, async ({ onTestFinished }) => {
      const database = newDatabase(onTestFinished)
      const leaseMs = 1_000
      const before = await serve({ ...choice, database, leaseMs }, onTestFinished)
      before.dieAt('before-commit')
      await expect(adjust(before.url, 'k', adjustment)).rejects.toThrow()
      expect(await before.ended).toBe('SIGKILL')

      const { url } = await serve({ ...choice, database, leaseMs }, onTestFinished)
      expect(await onHand(url, 'A-100')).toBe(100)
      expect(await adjustments(url)).toEqual([])
      const retry = await settledAnswer(url)
      // On Postgres what was rolled back has used up its number.
      const text = adjustedAs(choice.store === 'postgres' ? 2 : 1)
      expect(retry).toMatchObject({ status: 201, replayed: false, text })
      expect(await onHand(url, 'A-100')).toBe(95)
      expect(await adjustments(url)).toHaveLength(1)
    })

    test.concurrent('after the COMMIT, before its answer: it has happened, and the retry gets that answer', {
      timeout: 60_000,
    }, async ({ onTestFinished }) => {
      const database = newDatabase(onTestFinished)
      const before = await serve({ ...choice, database }, onTestFinished)
      before.dieAt('before-answer')
      await expect(adjust(before.url, 'k', adjustment)).rejects.toThrow()
      expect(await before.ended).toBe('SIGKILL')

      const { url } = await serve({ ...choice, database }, onTestFinished)
      expect(await onHand(url, 'A-100')).toBe(95)
      const retry = await adjust(url, 'k', adjustment)
      expect(retry).toMatchObject({ status: 201, replayed: true, text: adjusted })
      expect(await onHand(url, 'A-100')).toBe(95)
      expect(await adjustments(url)).toHaveLength(1)
    })

    // The other stores leave no such moment: the record stands with the adjustment, or dies with the process.
    if (choice.store === 'redis')
      test.concurrent('after the COMMIT, before its record: who runs when the lease is over finds it made', {
        timeout: 60_000,
      }, async ({ onTestFinished }) => {
        const database = newDatabase(onTestFinished)
        const leaseMs = 1_000
        const before = await serve({ ...choice, database, leaseMs }, onTestFinished)
        before.dieAt('before-record')
        await expect(adjust(before.url, 'k', adjustment)).rejects.toThrow()
        expect(await before.ended).toBe('SIGKILL')

        const { url, findLine } = await serve({ ...choice, database, leaseMs }, onTestFinished)
        expect(await onHand(url, 'A-100')).toBe(95)
        const retry = await settledAnswer(url)
        expect(retry).toMatchObject({ status: 201, replayed: false, text: adjusted })
        expect(retry.headers.location).toBe('/adjustments/1')
        expect(await findLine(/^Attempt 2 .* abandoned$/, 1_000)).toBeTruthy()
        expect(await adjust(url, 'k', adjustment)).toMatchObject({ replayed: true, text: adjusted })
        expect(await onHand(url, 'A-100')).toBe(95)
        expect(await adjustments(url)).toHaveLength(1)
      })

    test('in mid-handler: nobody runs until the lease is over, then one does', {
      timeout: 60_000,
    }, async () => {
      const database = newDatabase()
      // Not over before the next process is there, however long a start takes here.
      const leaseMs = Math.max(1_500, 2 * longestStartMs())
      const before = await serve({ ...choice, database, leaseMs, workMs: 60_000 })
      const claimedAfter = Date.now()
      const both = [1, 2].map(() =>
        adjust(before.url, 'k', adjustment).then(
          ({ status }) => status,
          () => 'cut off',
        ),
      )
      // One is refused while the other is at work.
      expect(await Promise.race(both)).toBe(409)
      expect(await before.kill()).toBe('SIGKILL')
      expect((await Promise.all(both)).sort()).toEqual([409, 'cut off'])

      const { url, log, findLine } = await serve({ ...choice, database, leaseMs })
      const refused = []
      let settled: Awaited<ReturnType<typeof adjust>>[] = []
      while (settled.length === 0) {
        const answers = await Promise.all([1, 2, 3, 4, 5].map(() => adjust(url, 'k', adjustment)))
        refused.push(...answers.filter(({ status }) => status === 409))
        settled = answers.filter(({ status }) => status !== 409)
        await pause(20)
      }
      expect(Date.now() - claimedAfter).toBeGreaterThanOrEqual(leaseMs)
      expect(refused.length).toBeGreaterThan(0)
      for (const { headers } of refused) expect(headers['retry-after']).toBe('1')
      expect(settled.filter(({ replayed }) => !replayed)).toHaveLength(1)
      for (const answer of settled) expect(answer).toMatchObject({ status: 201, text: adjusted })

      await findLine(/^Attempt/, 1_000)
      expect(log.filter((line) => line.startsWith('Attempt'))).toEqual([
        'Attempt 2 at an adjustment of acme; the one before was abandoned',
      ])
      expect(await adjust(url, 'k', adjustment)).toMatchObject({ replayed: true, text: adjusted })
      expect(await adjustments(url)).toHaveLength(1)
      expect(await onHand(url, 'A-100')).toBe(95)
    })
  })
}
