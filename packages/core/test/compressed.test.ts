import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { compressed } from '../src/compressed.js'
import { OptionError } from '../src/errors.js'
import { encodeResult, type StoredResult } from '../src/record.js'
import { askedWith, refused, response, resultsOf } from './codec-scene.js'
import { expectNoUnhandledRejections } from './unhandled-rejections.js'

expectNoUnhandledRejections()

describe('a compressed record', () => {
  const zeros = (bytes: number) => encodeResult(response(Buffer.alloc(bytes)))

  it('is shorter where that can be, and never much longer', async () => {
    const results = resultsOf(compressed())
    expect((await results.wrap(zeros(100_000), 'r')).length).toBeLessThan(1_000)
    for (const body of [randomBytes(100_000), Buffer.alloc(500)]) {
      const result = encodeResult(response(body))
      expect((await results.wrap(result, 'r')).length).toBe(result.length + 2)
    }
  })

  it('unfolds to 64 MiB at most, and one that would be more is refused', async () => {
    const bomb = Buffer.concat([
      Uint8Array.of(2, 1),
      deflateRawSync(Buffer.alloc(64 * 2 ** 20 + 1)),
    ])
    expect(bomb.length).toBeLessThan(100_000)
    await expect(resultsOf(compressed()).unwrap(bomb, 'r')).rejects.toMatchObject({
      unreadable: true,
      cause: { code: 'ERR_BUFFER_TOO_LARGE' },
    })
  })

  it('that is longer than that is kept as it is', async () => {
    const result = zeros(64 * 2 ** 20)
    const results = resultsOf(compressed())
    const stored = await results.wrap(result, 'r')
    const { response: read } = (await results.unwrap(stored, 'r')) as StoredResult & {
      kind: 'response'
    }
    expect(read.body.length).toBe(64 * 2 ** 20)
  })

  it('is 503 where it is broken, and nothing runs', async () => {
    const whole = encodeResult(response(Buffer.of()))
    for (const bytes of [[2], [2, 1], [2, 1, 7], [2, 9, ...whole], [2, 0], [2, 0, 1]]) {
      expect(await askedWith(compressed(), Uint8Array.from(bytes)), String(bytes)).toEqual(refused)
    }
  })

  it('has options that are judged when they are given', () => {
    for (const options of [
      { level: 0 },
      { level: 10 },
      { level: 1.5 },
      { level: '9' },
      { fromBytes: 0 },
      { fromBytes: Number.NaN },
    ])
      expect(() => compressed(options as never)).toThrow(OptionError)
  })
})
