import { expect, it } from 'vitest'
import { expiryQueue } from '../src/expiry-queue.js'

it('gives out what is due, the earliest first', () => {
  const queue = expiryQueue()
  const instants = Array.from({ length: 500 }, (_, index) => (index * 7919) % 1009)
  for (const at of instants) queue.add(`${at}`, at)
  const sorted = [...instants].sort((one, other) => one - other)
  for (const at of sorted) {
    expect(queue.takeDue(at - 0.5)).toBeUndefined()
    expect(queue.takeDue(at)).toBe(`${at}`)
  }
  expect(queue.size).toBe(0)
  expect(queue.takeDue(Number.POSITIVE_INFINITY)).toBeUndefined()
})
