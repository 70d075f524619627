import { describe, expect, test } from 'vitest'
import { type Answer, adjust, adjustments, onHand } from './client.js'
import { newDatabase, serve } from './inventory.js'

const adjustment = { sku: 'C-300', delta: -1 }

/** A hundred at the same instant, every second one to the other process. */
const hundred = (urls: readonly string[], key: string) =>
  Promise.all(
    Array.from({ length: 100 }, (_, index) => adjust(urls[index % 2] as string, key, adjustment)),
  )

const isFirst = ({ status, replayed }: Answer) => status === 201 && !replayed
const isDuplicate = ({ status, replayed }: Answer) => status === 409 || (status === 201 && replayed)

/** One made it; the others were turned away or got its answer. */
const expectOneEffect = (answers: readonly Answer[]) => {
  const strange = answers.filter((answer) => !isFirst(answer) && !isDuplicate(answer))
  expect(strange).toEqual([])
  expect(answers.filter(isFirst)).toHaveLength(1)
  expect(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(
    1,
  )
}

const twoServers = async (workMs: number) => {
  const database = newDatabase()
  // One after the other, so that the stock is made by the first.
  const first = await serve({ database, workMs })
  const second = await serve({ database, workMs })
  return [first.url, second.url] as const
}

describe('Two servers on one file', () => {
  test('let one of a hundred through while it is at work', { timeout: 60_000 }, async () => {
    const urls = await twoServers(2_000)
    const answers = await hundred(urls, 'k')
    expectOneEffect(answers)
    expect(answers.filter(({ status }) => status === 409).length).toBeGreaterThan(0)
    expect(await adjustments(urls[0])).toHaveLength(1)
    expect(await onHand(urls[1], 'C-300')).toBe(999_999)
  })

  test('let one of a hundred through, two hundred times over', { timeout: 240_000 }, async () => {
    const urls = await twoServers(0)
    for (let round = 0; round < 200; round++) expectOneEffect(await hundred(urls, `k${round}`))
    expect(await adjustments(urls[0])).toHaveLength(200)
    expect(await onHand(urls[1], 'C-300')).toBe(1_000_000 - 200)
  })
})
