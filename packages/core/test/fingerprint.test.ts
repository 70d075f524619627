import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxJsonDepth, maxJsonLength } from '../src/canonical-json.js'
import {
  anyRequest,
  compareFingerprints,
  customFingerprint,
  type FingerprintSource,
  fingerprintOf,
} from '../src/fingerprint.js'
import { fingerprintSettings } from '../src/fingerprint-settings.js'
import { codeUnit, documents, meaning, pairs, written } from './json-document.js'

type Settings = Parameters<typeof fingerprintSettings>[0]
type Body = FingerprintSource['body']

const utf8 = (text: string): Body => ({ kind: 'bytes', bytes: Buffer.from(text, 'utf8') })
const parsed = (value: unknown): Body => ({ kind: 'parsed', value })

const made = (request: Partial<FingerprintSource>, settings: Settings = {}) =>
  fingerprintOf(
    {
      method: 'POST',
      target: '/orders?a=1',
      mediaType: 'application/json',
      fieldLines: () => [],
      body: { kind: 'empty' },
      ...request,
    },
    fingerprintSettings(settings),
  )

const of = (request: Partial<FingerprintSource>, settings?: Settings): string => {
  const answer = made(request, settings)
  if (answer.kind !== 'fingerprint') throw new Error(answer.kind)
  return answer.fingerprint
}

const compared = (
  a: Partial<FingerprintSource>,
  b: Partial<FingerprintSource>,
  settings?: Settings,
) => compareFingerprints(of(a, settings), of(b, settings))

const form = 'application/x-www-form-urlencoded'
const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('the fingerprint of JSON', () => {
  it('is the same for bytes that mean the same, and for no others', () => {
    fc.assert(
      fc.property(pairs, fc.nat(), fc.nat(), ([a, b], seed, otherSeed) => {
        const answer = compared(
          { body: utf8(written(a, seed)) },
          { body: utf8(written(b, otherSeed)) },
        )
        expect(answer).toBe(meaning(a) === meaning(b) ? 'same' : 'different')
      }),
      { numRuns: 1_000 },
    )
  })

  it('agrees between the bytes and what a parser made of them', () => {
    fc.assert(
      fc.property(documents, fc.nat(), (document, seed) => {
        const text = written(document, seed)
        expect(compared({ body: utf8(text) }, { body: parsed(JSON.parse(text)) })).toBe('same')
        expect(compared({ body: parsed(JSON.parse(text)) }, { body: utf8(text) })).toBe('same')
      }),
      { numRuns: 1_000 },
    )
  })

  it('differs between bytes and a value, or two values, that are not the same to a parser', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const [left, right] = [written(a, 1), written(b, 2)]
        const expected = isDeepStrictEqual(JSON.parse(left), JSON.parse(right))
          ? 'same'
          : 'different'
        expect(compared({ body: utf8(left) }, { body: parsed(JSON.parse(right)) })).toBe(expected)
        expect(
          compared({ body: parsed(JSON.parse(left)) }, { body: parsed(JSON.parse(right)) }),
        ).toBe(expected)
      }),
      { numRuns: 1_000 },
    )
  })

  it('knows 1 from 1.0 where both were sent as bytes, and cannot where one is a parsed value', () => {
    expect(compared({ body: utf8('[1]') }, { body: utf8('[1.0]') })).toBe('different')
    expect(compared({ body: utf8('[1.0]') }, { body: parsed([1]) })).toBe('same')
  })

  it('counts every byte under json: raw, and still agrees with a parsed value', () => {
    const raw = { json: 'raw' } as const
    expect(compared({ body: utf8('{"a":1}') }, { body: utf8('{"a": 1}') }, raw)).toBe('different')
    expect(compared({ body: utf8('{"a":1}') }, { body: utf8('{"a":1}') }, raw)).toBe('same')
    expect(compared({ body: utf8('{"a": 1}') }, { body: parsed({ a: 1 }) }, raw)).toBe('same')
    expect(compared({ body: utf8('{"a": 1}') }, { body: parsed({ a: 2 }) }, raw)).toBe('different')
  })

  it('holds for every media type that is JSON', () => {
    const mediaType = 'application/vnd.shop+json'
    const a = { mediaType, body: utf8('{"a":1,"b":2}') }
    expect(compared(a, { mediaType, body: utf8('{ "b":2, "a":1 }') })).toBe('same')
    expect(compared(a, { body: utf8('{"a":1,"b":2}') })).toBe('different')
  })

  it('is that of the bytes where they are no JSON', () => {
    for (const text of ['{"a":1', '{a:1}', '1 2', 'NaN', ' ']) {
      expect(compared({ body: utf8(text) }, { body: utf8(text) })).toBe('same')
      expect(compared({ body: utf8(text) }, { body: utf8(`${text} `) })).toBe('different')
    }
    const invalid: Body = { kind: 'bytes', bytes: Uint8Array.of(0x22, 0xff, 0x22) }
    const other: Body = { kind: 'bytes', bytes: Uint8Array.of(0x22, 0xfe, 0x22) }
    expect(compared({ body: invalid }, { body: other })).toBe('different')
  })

  it('is that of the bytes where they are too deep or too many', () => {
    const deep = nested(maxJsonDepth + 10)
    expect(compared({ body: utf8(deep) }, { body: utf8(deep) })).toBe('same')
    expect(compared({ body: utf8(deep) }, { body: utf8(` ${deep}`) })).toBe('different')
    expect(compared({ body: utf8(nested(200_000)) }, { body: utf8(nested(200_000)) })).toBe('same')
    const long = JSON.stringify('a'.repeat(maxJsonLength))
    expect(compared({ body: utf8(long) }, { body: utf8(long) })).toBe('same')
    expect(compared({ body: utf8(long) }, { body: utf8(` ${long}`) })).toBe('different')
  })

  it('is refused where only a parsed value is at hand and that is too deep or too large', () => {
    const deep = JSON.parse(nested(maxJsonDepth + 10))
    expect(made({ body: parsed(deep) })).toEqual({ kind: 'too-large' })
    expect(made({ body: parsed({ a: 'a'.repeat(maxJsonLength) }) })).toEqual({ kind: 'too-large' })
    expect(made({ body: parsed(JSON.parse(nested(maxJsonDepth))) }).kind).toBe('fingerprint')
  })

  it('takes a bare string that a parser left for a value, not for text', () => {
    expect(compared({ body: utf8('"abc"') }, { body: parsed('abc') })).toBe('same')
    expect(compared({ body: parsed('') }, { body: utf8('""') })).toBe('same')
  })

  it('is refused where what stands there is not what was sent', () => {
    expect(made({ body: parsed(new Map()) })).toEqual({ kind: 'consumed' })
    expect(made({ body: parsed(() => 1) })).toEqual({ kind: 'consumed' })
  })
})

describe('the fingerprint of a form', () => {
  it('counts decoded pairs in their order where bytes are at hand', () => {
    const a = { mediaType: form, body: utf8('a=%41&b=2') }
    expect(compared(a, { mediaType: form, body: utf8('a=A&b=2') })).toBe('same')
    expect(compared(a, { mediaType: form, body: utf8('b=2&a=A') })).toBe('different')
    expect(compared(a, { mediaType: form, body: utf8('a=A&b=3') })).toBe('different')
  })

  it('agrees between bytes and the parsed fields', () => {
    const bytes = { mediaType: form, body: utf8('a[]=1&a[]=2&b[c]=%C3%A9') }
    const fields = { a: ['1', '2'], b: { c: 'é' } }
    expect(compared(bytes, { mediaType: form, body: parsed(fields) })).toBe('same')
    expect(compared(bytes, { mediaType: form, body: parsed({ ...fields, b: { c: 'e' } }) })).toBe(
      'different',
    )
  })

  it('is that of the bytes where an escape is broken', () => {
    const a = { mediaType: form, body: utf8('a=%ff') }
    expect(compared(a, { mediaType: form, body: utf8('a=%ff') })).toBe('same')
    expect(compared(a, { mediaType: form, body: utf8('a=%fe') })).toBe('different')
  })
})

describe('the fingerprint of other bodies', () => {
  const mediaType = 'application/octet-stream'

  it('counts every byte', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3, max: 3 }),
        fc.uint8Array({ maxLength: 3, max: 3 }),
        (a, b) => {
          const answer = compared(
            { mediaType, body: { kind: 'bytes', bytes: a } },
            { mediaType, body: { kind: 'bytes', bytes: b } },
          )
          expect(answer).toBe(Buffer.compare(a, b) === 0 ? 'same' : 'different')
        },
      ),
    )
  })

  it('is that of the bytes behind a parser that leaves a buffer or a text', () => {
    const bytes = { mediaType: 'text/plain', body: utf8('é') }
    expect(compared(bytes, { mediaType: 'text/plain', body: parsed('é') })).toBe('same')
    expect(compared(bytes, { mediaType: 'text/plain', body: parsed(Buffer.from('é')) })).toBe(
      'same',
    )
  })

  it('is refused for what a multipart parser has left', () => {
    const body = parsed({ name: 'value' })
    expect(made({ mediaType: 'multipart/form-data', body })).toEqual({ kind: 'consumed' })
  })

  it('is refused where the body is too large or was read before', () => {
    expect(made({ body: { kind: 'too-large' } })).toEqual({ kind: 'too-large' })
    expect(made({ body: { kind: 'consumed' } })).toEqual({ kind: 'consumed' })
  })
})

describe('the fingerprint of a request', () => {
  it('takes no body for an empty one, whatever its media type', () => {
    const none = { mediaType: '', body: { kind: 'empty' } as const }
    for (const body of [utf8(''), { kind: 'empty' } as const, parsed(Buffer.alloc(0))]) {
      expect(compared(none, { mediaType: 'application/json', body })).toBe('same')
    }
    expect(compared(none, { body: utf8('null') })).toBe('different')
    expect(compared(none, { body: parsed(undefined) })).toBe('different')
  })

  it('counts method, target and media type, each as sent', () => {
    const request = { body: utf8('1') }
    for (const other of [
      { method: 'PATCH' },
      { target: '/orders?a=2' },
      { target: '/orders' },
      { target: '/orders?a=1&' },
      { target: '/Orders?a=1' },
      { mediaType: 'application/problem+json' },
    ]) {
      expect(compared(request, { ...request, ...other })).toBe('different')
    }
  })

  it('keeps its parts apart', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ':', '1') }),
        fc.nat(10),
        fc.nat(10),
        (text, a, b) => {
          const split = (at: number) => ({ method: text.slice(0, at), target: text.slice(at) })
          const same = text.slice(0, a) === text.slice(0, b)
          expect(compared(split(a), split(b))).toBe(same ? 'same' : 'different')
        },
      ),
    )
  })

  it('counts the chosen header fields, line by line, and no other', () => {
    const settings = { headers: ['X-Tenant', 'prefer'] }
    const fields =
      (lines: Record<string, readonly string[]>) =>
      (name: string): readonly string[] =>
        lines[name] ?? []
    const request = { fieldLines: fields({ 'x-tenant': ['a', 'b'], date: ['now'] }) }
    const same = { fieldLines: fields({ 'x-tenant': ['a', 'b'], date: ['later'] }) }
    expect(compared(request, same, settings)).toBe('same')
    for (const lines of [
      {},
      { 'x-tenant': ['a'] },
      { 'x-tenant': ['a, b'] },
      { prefer: ['a', 'b'] },
    ]) {
      expect(compared(request, { fieldLines: fields(lines) }, settings)).toBe('different')
    }
  })

  it('does not depend on the order and case in which header fields were chosen', () => {
    const fieldLines = (name: string) => [name]
    const a = of({ fieldLines }, { headers: ['x-a', 'x-b'] })
    expect(of({ fieldLines }, { headers: ['X-B', 'X-A'] })).toBe(a)
  })
})

describe('two fingerprints', () => {
  it('are different where they have no form in common', () => {
    const empty = of({})
    const bytes = of({ body: utf8('no json') })
    expect(compareFingerprints(bytes, of({ body: parsed({}) }))).toBe('different')
    expect(compareFingerprints(bytes, empty)).toBe('different')
  })

  it('cannot be compared where this process cannot compute the other', () => {
    const mine = of({ body: utf8('1') })
    const theirs = [
      mine.replace('1:', '2:'),
      of({ body: utf8('1') }, { json: 'raw' }),
      of({ body: utf8('1') }, { headers: ['x'] }),
      customFingerprint('1'),
      anyRequest,
      '',
      'nonsense',
    ]
    for (const other of theirs) expect(compareFingerprints(mine, other)).toBe('unreadable')
  })

  it('are the same where the comparison is off', () => {
    expect(compareFingerprints(anyRequest, of({ body: utf8('1') }))).toBe('same')
    expect(compareFingerprints(anyRequest, anyRequest)).toBe('same')
  })

  it('of a custom function are as different as its answers', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: codeUnit, maxLength: 3 }),
        fc.string({ unit: codeUnit, maxLength: 3 }),
        (a, b) => {
          const answer = compareFingerprints(customFingerprint(a), customFingerprint(b))
          expect(answer).toBe(a === b ? 'same' : 'different')
        },
      ),
    )
    expect(customFingerprint('\ud800')).not.toBe(customFingerprint('\ud801'))
    expect(customFingerprint(Uint8Array.of(1))).toBe(customFingerprint(Uint8Array.of(1)))
  })

  it('never show the body', () => {
    expect(of({ body: utf8('"4711"') })).not.toContain('4711')
    expect(customFingerprint('4711')).not.toContain('4711')
  })
})
