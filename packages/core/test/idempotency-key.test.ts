import fc from 'fast-check'
import { parseItem } from 'structured-headers'
import { describe, expect, it } from 'vitest'
import { parseKey, uuid } from '../src/idempotency-key.js'

/** The reference implementation of RFC 9651: the String that the field is, or `undefined`. */
const oracle = (fieldValue: string): string | undefined => {
  try {
    const [item] = parseItem(fieldValue)
    return typeof item === 'string' ? item : undefined
  } catch {
    return undefined
  }
}

/** Characters of which most texts are nearly a structured field. */
const nearly = fc.string({
  unit: fc.constantFrom(
    ...'"";;==\\\\  abAZ019*-_.:?@%/+,\t~!',
    '%"',
    ':aGk=:',
    '?1',
    '%c3%a9',
    '1.5',
    '\u007f',
    'é',
    '\u0000',
  ),
  maxLength: 24,
})

const parameterValue = fc.oneof(
  fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }).map(String),
  fc.constantFrom('1.0', '-12.125', '999999999999.999', '0', '-0', '007'),
  fc.constantFrom('"text"', '"q\\"uo\\\\te"', '""', 'token', '*t/o:k', '?0', '?1'),
  fc.constantFrom(':cHJldGVuZA==:', ':cHJldGVuZA:', '::', '%"f%c3%bc"', '%"plain"'),
  fc.constantFrom(
    '1.',
    '1.2345',
    '?2',
    '@',
    'é',
    '%"%zz"',
    '1234567890123456',
    '-',
    ':*:',
    ':a:',
    ':aGk==:',
    '"a',
  ),
)
const parameter = fc
  .tuple(
    fc.constantFrom('', ' ', '  '),
    fc.constantFrom('a', '*b', 'v_1-.x', 'Upper', '1st', ''),
    fc.option(parameterValue),
  )
  .map(([space, name, value]) => `;${space}${name}${value === null ? '' : `=${value}`}`)
const quoted = fc
  .string({ unit: 'grapheme-ascii', maxLength: 20 })
  .map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`)
const item = fc
  .tuple(
    fc.constantFrom('', ' '),
    quoted,
    fc.array(parameter, { maxLength: 3 }),
    fc.constantFrom('', '  ', 'x'),
  )
  .map((parts) => parts.flat().join(''))

describe('a key as a structured field', () => {
  it('is what RFC 9651 makes of a String with parameters', () => {
    fc.assert(
      fc.property(fc.oneof(item, nearly), (fieldValue) => {
        expect(parseKey(fieldValue, 'strict')).toBe(oracle(fieldValue))
      }),
      { numRuns: 5_000 },
    )
  })

  // By hand, since the reference implementation refuses a Date that anything follows.
  it('may have a Date among its parameters', () => {
    expect(parseKey('"a";at=@1659578233;by="me" ', 'strict')).toBe('a')
    expect(parseKey('"a";at=@-1', 'strict')).toBe('a')
    expect(parseKey('"a";at=@1.5', 'strict')).toBeUndefined()
  })

  it('is decoded, and whatever stands inside the quotes is part of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (key) => {
        const fieldValue = `"${key.replace(/["\\]/g, '\\$&')}"`
        expect(parseKey(fieldValue, 'both')).toBe(key)
        expect(parseKey(fieldValue, 'strict')).toBe(key)
      }),
    )
  })

  it('is judged in time that grows with its length alone', () => {
    const hostile = [
      `"${'\\"'.repeat(50_000)}`,
      `"a"${';a="b"'.repeat(20_000)};=`,
      `"a"${'; '.repeat(50_000)}`,
    ]
    const startedAt = performance.now()
    for (const fieldValue of hostile) expect(parseKey(fieldValue, 'both')).toBeUndefined()
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

describe('a bare key', () => {
  const visible = Array.from({ length: 0x7e - 0x20 }, (_, at) => String.fromCharCode(0x21 + at))
  const bare = visible.filter((character) => !'",;\\'.includes(character))

  it('is the same key as the quoted one', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...bare), minLength: 1 }), (key) => {
        expect(parseKey(key, 'both')).toBe(key)
        expect(parseKey(` ${key}\t`, 'both')).toBe(key)
        expect(parseKey(`"${key}"`, 'both')).toBe(key)
      }),
    )
  })

  it('is refused where the syntax is strict', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...bare), minLength: 1 }), (key) => {
        expect(parseKey(key, 'strict')).toBeUndefined()
      }),
    )
  })

  it.each(['', ' ', 'a b', 'a,b', 'a;b', 'a"b', 'a\\b', 'é', 'a\u0000', 'a\u007f', '"a', '"a" b'])(
    'is refused where it is %j',
    (fieldValue) => {
      expect(parseKey(fieldValue, 'both')).toBeUndefined()
    },
  )
})

describe('an opaque key', () => {
  const latin1 = fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code))

  it('is the field value as it stands', () => {
    fc.assert(
      fc.property(fc.string({ unit: latin1 }), (fieldValue) => {
        expect(parseKey(fieldValue, 'opaque')).toBe(fieldValue)
      }),
    )
  })
})

describe('a UUID', () => {
  it('is one of any version, in either case, and nothing around it', () => {
    fc.assert(
      fc.property(fc.uuid(), (key) => {
        expect(uuid.test(key)).toBe(true)
        expect(uuid.test(key.toUpperCase())).toBe(true)
        expect(uuid.test(`${key}0`)).toBe(false)
        expect(uuid.test(`${key}\n`)).toBe(false)
        expect(uuid.test(key.replaceAll('-', ''))).toBe(false)
      }),
    )
  })
})
