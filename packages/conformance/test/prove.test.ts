import { expect, it } from 'vitest'
import { guaranteesByPoint, prove } from '../src/index.js'

it('closes the harness of a guarantee that does not hold', async () => {
  let closed = 0
  const guarantee = { name: 'fails', points: [], check: () => Promise.reject(new Error('broken')) }
  const harness = async () => ({
    close: async () => {
      closed++
    },
  })
  await expect(prove(guarantee, harness)).rejects.toThrow('broken')
  expect(closed).toBe(1)
})

it('lists guarantees by the point that they stand for', () => {
  const listed = guaranteesByPoint([
    { name: 'one', points: ['1', '2'] },
    { name: 'two', points: ['2'] },
  ])
  expect([...listed]).toEqual([
    ['1', ['one']],
    ['2', ['one', 'two']],
  ])
})
