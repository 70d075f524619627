import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText, canonicalValue } from '../src/canonical-json.js'
import { excludedMembers, excludedNames, isPointer } from '../src/excluded-members.js'
import { compareFingerprints, fingerprintOf } from '../src/fingerprint.js'
import { fingerprintSettings } from '../src/fingerprint-settings.js'
import { type Document, documents, meaning, pairs, written } from './json-document.js'

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

const isPlainName = (name: string, exclude: readonly string[]): boolean =>
  !name.startsWith('/') && exclude.includes(name)

/** A document without the places that are named, slowly: each place has a pointer, and that is looked for. */
const without = (document: Document, exclude: readonly string[]): Document => {
  const rest = (part: Document, pointer: string): Document => {
    const isLeft = (token: string): boolean => !exclude.includes(`${pointer}/${escaped(token)}`)
    switch (part.kind) {
      case 'array':
        return {
          kind: 'array',
          items: part.items
            .map((item, index) => ({ item: rest(item, `${pointer}/${index}`), index }))
            .filter(({ index }) => isLeft(String(index)))
            .map(({ item }) => item),
        }
      case 'object':
        return {
          kind: 'object',
          members: part.members
            .filter(([name]) => isLeft(name) && !(pointer === '' && isPlainName(name, exclude)))
            .map(([name, value]) => [name, rest(value, `${pointer}/${escaped(name)}`)] as const),
        }
      default:
        return part
    }
  }
  return rest(document, '')
}

/** The pointers of all places in a document. */
const pointersOf = (document: Document, pointer = ''): string[] => {
  const below =
    document.kind === 'array'
      ? document.items.map((item, index) => [String(index), item] as const)
      : document.kind === 'object'
        ? document.members
        : []
  return below.flatMap(([token, part]) => {
    const inner = `${pointer}/${escaped(token)}`
    return [inner, ...pointersOf(part, inner)]
  })
}

const plain = fc.constantFrom('a', 'b', '__proto__', 'constructor', '0', '1', '😀', '\\ud800')
const pointer = fc
  .array(fc.constantFrom('a', 'b', '0', '1', '', '__proto__', '/', '~'), {
    minLength: 1,
    maxLength: 3,
  })
  .map((tokens) => tokens.map((token) => `/${escaped(token)}`).join(''))

/** Two documents, often nearly the same, and names of which some stand in them. */
const excluding = pairs.chain(([a, b]) => {
  const standing = [...new Set([...pointersOf(a), ...pointersOf(b)])]
  return fc.record({
    a: fc.constant(a),
    b: fc.constant(b),
    exclude: fc
      .tuple(
        fc.subarray(standing, { maxLength: Math.min(3, standing.length) }),
        fc.array(fc.oneof(plain, pointer), { maxLength: 2 }),
      )
      .map(([some, others]) => [...some, ...others]),
  })
})

const text = (document: string, ...exclude: string[]): string =>
  canonicalText(document, excludedMembers(exclude))
const parsed = (document: string, ...exclude: string[]): string =>
  canonicalValue(JSON.parse(document), excludedMembers(exclude))

describe('a JSON Pointer', () => {
  it.each(['/', '/a', '/a/b', '/a/0', '//', '/~0', '/~1', '/a~01', '/ ', '/\n'])('is %j', (given) =>
    expect(isPointer(given)).toBe(true),
  )
  it.each(['', 'a', 'a/b', '/~', '/~2', '/a~', '#/a'])('is not %j', (given) =>
    expect(isPointer(given)).toBe(false),
  )
})

describe('what is left out of a document', () => {
  it('is what its pointers and names say, in the text that was sent', () => {
    fc.assert(
      fc.property(excluding, fc.nat(), fc.nat(), ({ a, b, exclude }, seed, otherSeed) => {
        const same = text(written(a, seed), ...exclude) === text(written(b, otherSeed), ...exclude)
        expect(same).toBe(meaning(without(a, exclude)) === meaning(without(b, exclude)))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is the same in what a parser made of it', () => {
    fc.assert(
      fc.property(excluding, fc.nat(), ({ a, exclude }, seed) => {
        const left = canonicalValue(JSON.parse(written(without(a, exclude), 1)))
        expect(parsed(written(a, seed), ...exclude)).toBe(left)
      }),
      { numRuns: 3_000 },
    )
  })

  it('is nothing where nothing is named', () => {
    fc.assert(
      fc.property(documents, fc.nat(), (document, seed) => {
        expect(text(written(document, seed))).toBe(canonicalText(written(document, seed)))
      }),
    )
    expect(excludedMembers([])).toBeUndefined()
  })

  it.each([
    ['a member', '{"a":1,"b":2}', ['a'], '{"b":2}'],
    ['a member behind an escape', '{"\\u0061":1,"b":2}', ['a'], '{"b":2}'],
    ['a member at any place', '{"b":{"a":1}}', ['/b/a'], '{"b":{}}'],
    ['a member that stands twice', '{"a":1,"b":2,"a":3}', ['a'], '{"b":2}'],
    ['below a member that stands twice', '{"a":{"b":1},"a":{"b":2}}', ['/a/b'], '{"a":{},"a":{}}'],
    ['__proto__', '{"__proto__":1,"b":2}', ['__proto__'], '{"b":2}'],
    ['a name with a slash and a tilde', '{"a/b":{"c~d":1}}', ['/a~1b/c~0d'], '{"a/b":{}}'],
    ['a name that looks like an escape', '{"~1":1,"/":2}', ['/~01'], '{"/":2}'],
    ['an item', '[1,[2,3]]', ['/1/0'], '[1,[3]]'],
    ['a member that is named like an item', '{"0":1,"b":2}', ['/0'], '{"b":2}'],
    ['the member without a name', '{"":1,"b":2}', ['/'], '{"b":2}'],
    ['a half character', '{"\\ud800":1,"\\ud801":2}', ['\ud800'], '{"\\ud801":2}'],
    ['a number in all its digits', '{"a":1.0,"b":1.0}', ['a'], '{"b":1.0}'],
  ])('can be %s', (_, document, exclude, left) => {
    expect(text(document, ...exclude)).toBe(text(left))
    expect(parsed(document, ...exclude)).toBe(parsed(left))
  })

  it.each([
    ['a member of a member', '{"b":{"a":1}}', 'a'],
    ['an item by a plain name', '[1,2]', '0'],
    ['an item by an index with a zero in front', '[1,2]', '/01'],
    ['the item behind the last', '[1,2]', '/-'],
    ['what a plain name would be as a pointer', '{"a":{"b":1}}', 'a/b'],
    ['a part of a string', '"a"', 'a'],
    ['a part of a number', '1', '/0'],
  ])('is not %s', (_, document, name) => {
    expect(text(document, name)).toBe(text(document))
    expect(parsed(document, name)).toBe(parsed(document))
  })

  it('may be named by a pointer and by a name that another pointer goes through', () => {
    expect(text('[[1,2]]', '0', '/0/1')).toBe('[[1]]')
    expect(text('{"0":[1,2]}', '0', '/0/1')).toBe('{}')
    expect(text('{"a":{"b":1}}', '/a/b', '/a')).toBe('{}')
    expect(text('{"a":{"b":1}}', '/a', '/a/b')).toBe('{}')
  })

  it('of a form are its top-level names', () => {
    expect(excludedNames(['a', '/b', '/c/d', '/e~1f', '/'])).toEqual(['a', 'b', 'e/f', ''])
  })
})

describe('fingerprints with members left out', () => {
  const made = (body: string | unknown, isParsed: boolean, exclude: readonly string[]): string => {
    const fingerprinted = fingerprintOf(
      {
        method: 'POST',
        target: '/',
        mediaType: 'application/json',
        fieldLines: () => [],
        body: isParsed
          ? { kind: 'parsed', value: body }
          : { kind: 'bytes', bytes: Buffer.from(body as string) },
      },
      fingerprintSettings({ exclude }),
    )
    if (fingerprinted.kind !== 'fingerprint') throw new Error(fingerprinted.kind)
    return fingerprinted.fingerprint
  }

  it('are the same where the rest means the same, and nowhere else', () => {
    fc.assert(
      fc.property(excluding, fc.nat(), fc.nat(), ({ a, b, exclude }, seed, otherSeed) => {
        const answer = compareFingerprints(
          made(written(a, seed), false, exclude),
          made(written(b, otherSeed), false, exclude),
        )
        const same = meaning(without(a, exclude)) === meaning(without(b, exclude))
        expect(answer).toBe(same ? 'same' : 'different')
      }),
      { numRuns: 1_000 },
    )
  })

  it('agree between the bytes and what a parser made of them', () => {
    fc.assert(
      fc.property(excluding, fc.nat(), ({ a, b, exclude }, seed) => {
        const left = (document: Document): unknown =>
          JSON.parse(written(without(document, exclude), 1))
        const answer = compareFingerprints(
          made(written(a, seed), false, exclude),
          made(JSON.parse(written(b, 2)), true, exclude),
        )
        expect(answer).toBe(isDeepStrictEqual(left(a), left(b)) ? 'same' : 'different')
      }),
      { numRuns: 1_000 },
    )
  })
})
