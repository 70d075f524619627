import { expect, test } from 'vitest'
import type { Choice } from '../../demo/targets.mjs'
import { type Answer, adjust, adjustments, onHand } from '../client.js'
import { describeOn, newDatabase, serve, titleOf } from '../inventory.js'

const adjustment = { sku: 'C-300', delta: -1 }

/** Asks again where there was no connection to the database in time, of which a process has few. Nothing has run then. */
const adjustInTime = async (url: string, key: string) => {
  for (;;) {
    const answer = await adjust(url, key, adjustment)
    if (answer.status !== 503) return answer
  }
}

const isFirst = ({ status, replayed }: Answer) => status === 201 && !replayed
const isDuplicate = ({ status, replayed }: Answer) => status === 409 || (status === 201 && replayed)

/** Two servers on one database, where many requests with one key arrive at the same instant. */
export const describeDuplicates = (choice: Choice, { rounds }: { rounds: number }): void => {
  // Each process has a memory of its own, and its own first: that of the second finds the adjustment made.
  const maxFirsts = choice.store === 'memory' ? 2 : 1

  const adjustOnce = (url: string, key: string) =>
    choice.store === 'postgres' ? adjustInTime(url, key) : adjust(url, key, adjustment)
  /** A hundred at the same instant, every second one to the other process. */
  const hundred = (urls: readonly string[], key: string) =>
    Promise.all(
      Array.from({ length: 100 }, (_, index) => adjustOnce(urls[index % 2] as string, key)),
    )

  /** One made it; the others were turned away or got its answer. */
  const expectOneEffect = (answers: readonly Answer[]) => {
    const strange = answers.filter((answer) => !isFirst(answer) && !isDuplicate(answer))
    expect(strange).toEqual([])
    const firsts = answers.filter(isFirst).length
    expect(firsts).toBeGreaterThan(0)
    expect(firsts).toBeLessThanOrEqual(maxFirsts)
    const made = answers.filter(({ status }) => status === 201)
    expect(new Set(made.map(({ text }) => text)).size).toBe(1)
  }

  const twoServers = async (workMs: number) => {
    const database = newDatabase()
    // One after the other, so that the stock is made by the first.
    const first = await serve({ ...choice, database, workMs })
    const second = await serve({ ...choice, database, workMs })
    return [first.url, second.url] as const
  }

  describeOn(choice, `Two servers ${titleOf(choice)}, on one database`, () => {
    test('let one of a hundred through while it is at work', { timeout: 60_000 }, async () => {
      const urls = await twoServers(1_000)
      const answers = await hundred(urls, 'k')
      expectOneEffect(answers)
      expect(answers.filter(({ status }) => status === 409).length).toBeGreaterThan(0)
      expect(await adjustments(urls[0])).toHaveLength(1)
      expect(await onHand(urls[1], 'C-300')).toBe(999_999)
    })

    test(`let one of a hundred through, ${rounds} times over`, { timeout: 240_000 }, async () => {
      const urls = await twoServers(0)
      for (let round = 0; round < rounds; round++) expectOneEffect(await hundred(urls, `k${round}`))
      expect(await adjustments(urls[0])).toHaveLength(rounds)
      expect(await onHand(urls[1], 'C-300')).toBe(1_000_000 - rounds)
    })
  })
}
