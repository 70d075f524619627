import { expect, test } from 'vitest'
import type { Target } from '../../demo/targets.mjs'
import { adjust, adjustments, onHand } from '../client.js'
import { describeOn, newDatabase, serve, titleOf } from '../inventory.js'

const adjustment = { sku: 'A-100', delta: -5 }
const adjusted = JSON.stringify({ id: 1, ...adjustment, onHand: 95 })

/** What is left of an adjustment when the process that knew its key is killed. */
export const describeForgotten = (target: Target): void => {
  const choice = { target, store: 'memory' } as const

  /** A server that was killed at its first adjustment, started again. */
  const servedAgain = async (point: 'before-commit' | 'before-answer') => {
    const database = newDatabase()
    const before = await serve({ ...choice, database })
    before.dieAt(point)
    await expect(adjust(before.url, 'k', adjustment)).rejects.toThrow()
    expect(await before.ended).toBe('SIGKILL')
    return (await serve({ ...choice, database })).url
  }

  describeOn(choice, `A server ${titleOf(choice)} that is killed`, () => {
    test('before the COMMIT: nothing has happened, and the retry makes it happen', async () => {
      const url = await servedAgain('before-commit')
      expect(await onHand(url, 'A-100')).toBe(100)
      const retry = await adjust(url, 'k', adjustment)
      expect(retry).toMatchObject({ status: 201, replayed: false, text: adjusted })
      expect(await onHand(url, 'A-100')).toBe(95)
      expect(await adjustments(url)).toHaveLength(1)
    })

    test('after the COMMIT: it has happened, and the retry is told what was made', async () => {
      const url = await servedAgain('before-answer')
      expect(await onHand(url, 'A-100')).toBe(95)
      const retry = await adjust(url, 'k', adjustment)
      expect(retry).toMatchObject({ status: 201, replayed: false, text: adjusted })
      expect(retry.headers.location).toBe('/adjustments/1')
      const again = await adjust(url, 'k', adjustment)
      expect(again).toMatchObject({ status: 201, replayed: true, text: adjusted })
      expect(await onHand(url, 'A-100')).toBe(95)
      expect(await adjustments(url)).toHaveLength(1)
    })

    test('after the COMMIT: its key makes no other adjustment', async () => {
      const url = await servedAgain('before-answer')
      const other = await adjust(url, 'k', { sku: 'A-100', delta: -50 })
      expect(other.status).toBe(422)
      expect(other.headers['content-type']).toContain('application/problem+json')
      expect(JSON.parse(other.text).type).toMatch(/key-used$/)
      expect(await onHand(url, 'A-100')).toBe(95)
    })
  })
}
