import { describe, expect, test } from 'vitest'
import type { Choice } from '../../demo/targets.mjs'
import { adjust, adjustments, onHand } from '../client.js'
import { newDatabase, serve, titleOf } from '../inventory.js'

const adjustment = { sku: 'A-100', delta: -5 }
const adjusted = JSON.stringify({ id: 1, ...adjustment, onHand: 95 })

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What a killed process leaves to the next one. */
export const describeKilled = (choice: Choice): void => {
  describe(`A server ${titleOf(choice)} that is killed`, () => {
    test('in mid-handler: nobody runs until the lease is over, then one does', {
      timeout: 60_000,
    }, async () => {
      const database = newDatabase()
      const leaseMs = 4_000
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

    test('before the COMMIT: nothing has happened, and the retry makes it happen', {
      timeout: 60_000,
    }, async () => {
      const database = newDatabase()
      const leaseMs = 1_000
      const before = await serve({ ...choice, database, leaseMs })
      before.dieAt('before-commit')
      await expect(adjust(before.url, 'k', adjustment)).rejects.toThrow()
      expect(await before.ended).toBe('SIGKILL')

      const { url } = await serve({ ...choice, database, leaseMs })
      expect(await onHand(url, 'A-100')).toBe(100)
      expect(await adjustments(url)).toEqual([])
      let retry = await adjust(url, 'k', adjustment)
      while (retry.status === 409) {
        await pause(100)
        retry = await adjust(url, 'k', adjustment)
      }
      expect(retry).toMatchObject({ status: 201, replayed: false, text: adjusted })
      expect(await onHand(url, 'A-100')).toBe(95)
      expect(await adjustments(url)).toHaveLength(1)
    })

    test('after the COMMIT, before its answer: it has happened, and the retry gets that answer', {
      timeout: 60_000,
    }, async () => {
      const database = newDatabase()
      const before = await serve({ ...choice, database })
      before.dieAt('before-answer')
      await expect(adjust(before.url, 'k', adjustment)).rejects.toThrow()
      expect(await before.ended).toBe('SIGKILL')

      const { url } = await serve({ ...choice, database })
      expect(await onHand(url, 'A-100')).toBe(95)
      const retry = await adjust(url, 'k', adjustment)
      expect(retry).toMatchObject({ status: 201, replayed: true, text: adjusted })
      expect(await onHand(url, 'A-100')).toBe(95)
      expect(await adjustments(url)).toHaveLength(1)
    })
  })
}
