import { isIdempotencyError } from '@retrysafe/core'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../src/index.js'

const wrong: readonly (readonly [object, RegExp])[] = [
  [{ maxEntries: 0 }, /expected `maxEntries` to be a whole number from 1 to 16777216, got `0`/],
  [{ maxEntries: 1.5 }, /got `1.5`/],
  [{ maxEntries: 2 ** 24 + 1 }, /got `16777217`/],
  [{ maxEntries: '10' }, /got '10'/],
  [{ maxBytes: Number.NaN }, /expected `maxBytes` to be a whole number from 1 .* got `NaN`/],
  [{ maxBytes: Number.POSITIVE_INFINITY }, /got `Infinity`/],
  [{ maxBytes: null }, /got `null`/],
  [
    { onStoreFull: 'evict' },
    /expected `onStoreFull` to be 'refuse' or 'evict-completed', got 'evi/,
  ],
  [{ now: 5 }, /expected `now` to be a function that answers milliseconds, got `5`/],
  [{ maxSize: 5 }, /expected the options of memoryStore\(\) to be maxEntries, .* got `maxSize`/],
]

describe('a wrong option is one clear error at construction', () => {
  for (const [options, message] of wrong)
    it(JSON.stringify(options), () => {
      let error: unknown
      try {
        memoryStore(options)
      } catch (thrown) {
        error = thrown
      }
      expect(isIdempotencyError(error) && error.code).toBe('option-invalid')
      expect(String(error)).toMatch(message)
    })

  it('takes options that are left undefined', async () => {
    const options: object = { maxEntries: undefined, now: undefined }
    await memoryStore(options).close()
  })
})
