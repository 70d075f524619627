import { expect, test } from 'vitest'
import { type Store, type Target, targets } from '../demo/targets.mjs'
import { type Answer, adjust, adjustments, onHand } from './client.js'
import { describeOn, keptIn, newDatabase, serve } from './inventory.js'

const names = Object.keys(targets) as Target[]
const pairs = names.flatMap((first) => names.map((second) => [first, second] as const))

/** What a client can tell answers apart by. */
const essence = ({ status, headers, text }: Answer) => ({
  status,
  text,
  location: headers.location,
  type: headers['content-type'],
})

/** One that is made, and two that are refused. */
const updates = [
  { update: { sku: 'C-300', delta: -1 }, status: 201 },
  { update: { sku: 'Z-999', delta: -1 }, status: 404 },
  { update: { sku: 'B-200', delta: -51 }, status: 422 },
]

for (const store of ['sqlite', 'redis'] as const satisfies readonly Store[]) {
  const title = `Servers on different frameworks, on one database${keptIn[store]}`
  describeOn({ target: 'express', store }, title, () => {
    test('replay what another has answered, and know a key that another has seen', {
      timeout: 60_000,
    }, async () => {
      const database = newDatabase()
      const urls = {} as Record<Target, string>
      for (const target of names) urls[target] = (await serve({ target, store, database })).url

      for (const [first, second] of pairs) {
        for (const { update, status } of updates) {
          const key = `${first}-${second}-${status}`
          const answer = await adjust(urls[first], key, update)
          expect(answer, key).toMatchObject({ status, replayed: false })
          const replay = await adjust(urls[second], key, update)
          expect(replay.replayed, key).toBe(true)
          expect(essence(replay), key).toEqual(essence(answer))
          const other = await adjust(urls[second], key, { ...update, delta: -2 })
          expect(JSON.parse(other.text), key).toMatchObject({ status: 422, code: 'key-reused' })
        }
      }
      expect(await adjustments(urls.hono)).toHaveLength(pairs.length)
      expect(await onHand(urls.koa, 'C-300')).toBe(1_000_000 - pairs.length)
    })
  })
}
