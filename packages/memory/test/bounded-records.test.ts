import { describe, expect, it } from 'vitest'
import { boundedRecords } from '../src/bounded-records.js'
import { begun, completed, failed, type HeldRecord } from '../src/held-record.js'

const claim = (recordKey: string) => ({
  recordKey,
  token: 't',
  fingerprint: 'f',
  leaseMs: 10,
  retentionMs: 10,
  takeover: false,
})

describe('the bounds', () => {
  // What lru-cache or the queue might do on their own would show here as a record that is not accounted for.
  it('hold after any history, and every record that is gone was over, expendable or told of', () => {
    for (const onStoreFull of ['refuse', 'evict-completed'] as const) {
      const held = new Map<string, HeldRecord>()
      const maxBytes = 12_000
      const records = boundedRecords({
        maxEntries: 15,
        maxBytes,
        onStoreFull,
        onEvicted: (key) => {
          expect(held.get(key)?.state).toBe('completed')
          held.delete(key)
        },
      })
      let state = 1
      const random = (below: number) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        return Math.floor((state / 2 ** 32) * below)
      }
      let refused = 0
      for (let now = 0; now < 20_000; now++) {
        const key = `k${random(40)}`
        const before = records.find(key, now)
        const lease = begun(claim(key), now, 1, 'nothing', undefined)
        const next = {
          0: () => lease,
          1: () => ({ ...lease, endsAt: now + random(400) }),
          2: () => completed(lease, new Uint8Array(random(3000)), now + random(300) + 1),
          3: () => failed(lease, random(2) === 0, now + random(300) + 1),
        }[random(4) as 0 | 1 | 2 | 3]()
        if (before && (before.state === 'completed' || random(5) === 0)) {
          records.remove(before)
          held.delete(key)
          continue
        }
        if (records.put(next, before, now)) held.set(key, next)
        else refused++
        if (random(50) === 0) records.purge(random(5), 10, now)

        let bytes = 0
        for (const [recordKey, record] of held) {
          const found = records.peek(recordKey, now)
          if (found) {
            expect(found).toBe(record)
            bytes += found.bytes
            continue
          }
          const isExpendable = record.state === 'failed' && !record.inDoubt
          expect(isExpendable || now >= record.endsAt).toBe(true)
          held.delete(recordKey)
        }
        expect(bytes).toBeLessThanOrEqual(maxBytes)
        expect(records.size).toBeLessThanOrEqual(15)
      }
      expect(refused).toBeGreaterThan(10)
    }
  })
})

it('looks past no more than a thousand leavings of keys that came and went', () => {
  const onEvicted = () => undefined
  const bounds = { maxEntries: 10, maxBytes: 100_000, onStoreFull: 'refuse', onEvicted } as const
  const records = boundedRecords(bounds)
  for (let round = 0; round < 5000; round++) {
    const record = begun(claim(`k${round}`), 0, 1, 'nothing', undefined)
    records.put(record, undefined, 0)
    records.remove(record)
  }
  records.put(begun(claim('last'), 5, 1, 'nothing', undefined), undefined, 0)
  expect(records.purge(1, 1002, 20)).toBe(1)
})
