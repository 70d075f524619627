import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalText,
  canonicalValue,
  JsonBoundError,
  maxJsonDepth,
} from '../src/canonical-json.js'
import { documents, meaning, pairs, written } from './json-document.js'

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('the canonical text of a document', () => {
  it('is one, whatever its white space, escapes and order of members', () => {
    fc.assert(
      fc.property(documents, fc.nat(), fc.nat(), (document, seed, otherSeed) => {
        const text = written(document, seed)
        expect(() => JSON.parse(text)).not.toThrow()
        expect(canonicalText(text)).toBe(canonicalText(written(document, otherSeed)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('is that of another document only where both mean the same', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), fc.nat(), ([a, b], seed, otherSeed) => {
        const same = canonicalText(written(a, seed)) === canonicalText(written(b, otherSeed))
        expect(same).toBe(meaning(a) === meaning(b))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is JSON that means the same to a parser', () => {
    fc.assert(
      fc.property(documents, fc.nat(), (document, seed) => {
        const text = written(document, seed)
        expect(isDeepStrictEqual(JSON.parse(canonicalText(text)), JSON.parse(text))).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it.each([
    ['integers beyond 2^53', '9007199254740993', '9007199254740992'],
    ['a number that is no finite one, and null', '1e400', 'null'],
    ['1 and 1.0', '{"a":1}', '{"a":1.0}'],
    ['a member that stands twice', '{"a":1,"a":2}', '{"a":2}'],
    ['the order of a member that stands twice', '{"a":1,"a":2}', '{"a":2,"a":1}'],
    ['__proto__ and nothing', '{"__proto__":{"a":1}}', '{}'],
    ['two lone surrogates', '"\\ud800"', '"\\ud801"'],
    ['a lone surrogate and its replacement', '"\\ud800"', '"\ufffd"'],
    ['names of one escaped character', '{"\\"":1}', '{"\\\\":1}'],
    ['an escaped escape', '"\\\\ud800"', '"\\ud800"'],
    ['zero and minus zero', '0', '-0'],
    ['a string and a number', '"1"', '1'],
    ['an empty array and an empty object', '[]', '{}'],
  ])('tells apart %s', (_, a, b) => {
    expect(canonicalText(a)).not.toBe(canonicalText(b))
  })

  it('ends at a depth, before the stack does', () => {
    expect(canonicalText(nested(maxJsonDepth))).toBe(nested(maxJsonDepth))
    expect(() => canonicalText(nested(maxJsonDepth + 2))).toThrow(JsonBoundError)
    expect(() => canonicalText(nested(500_000))).toThrow(JsonBoundError)
  })
})

describe('the canonical text of a parsed value', () => {
  it('is that of another value only where both are the same', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const [left, right] = [JSON.parse(written(a, 1)), JSON.parse(written(b, 2))]
        expect(canonicalValue(left) === canonicalValue(right)).toBe(isDeepStrictEqual(left, right))
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['a number that is no finite one', Number.POSITIVE_INFINITY, null],
    ['what is no number', Number.NaN, null],
    ['a missing value', [undefined], [null]],
    ['a hole', [undefined], []],
    ['a bigint', 1n, 1],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['another date', new Date(0), new Date(1)],
    ['minus zero', -0, 0],
    ['a member of the name __proto__', JSON.parse('{"__proto__":1}'), {}],
  ])('tells %s from its like', (_, a, b) => {
    expect(canonicalValue(a)).not.toBe(canonicalValue(b))
  })

  it('tells an array with holes by its length', () => {
    expect(canonicalValue(new Array(1))).not.toBe(canonicalValue([]))
    expect(canonicalValue(new Array(2))).not.toBe(canonicalValue(new Array(3)))
  })

  it('is refused where a value shows nothing of itself', () => {
    for (const value of [
      new Map([[1, 2]]),
      new Set([1]),
      () => 1,
      Symbol('a'),
      new Uint8Array(1),
      /a/,
    ]) {
      expect(() => canonicalValue(value)).toThrow(TypeError)
      expect(() => canonicalValue({ inside: value })).toThrow(TypeError)
    }
  })

  it('is refused where it goes round in a circle', () => {
    const circle: unknown[] = []
    circle.push(circle)
    expect(() => canonicalValue(circle)).toThrow(JsonBoundError)
  })
})
