import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uuid } from '../src/idempotency-key.js'
import { derivedKeyOf, type RecordKeyParts, recordKeyOf } from '../src/record-key.js'

const some = fc.string({
  unit: fc.constantFrom('a', ':', '1', '\ud800', '\udc00', 'é'),
  maxLength: 4,
})
const scope = fc.oneof(
  fc.constant({ kind: 'global' } as const),
  some.map((name) => ({ kind: 'of', name }) as const),
)
const route = fc.option(fc.tuple(some, some), { nil: undefined })
const parts: fc.Arbitrary<RecordKeyParts> = fc
  .tuple(some, fc.constantFrom('http' as const, 'run' as const), scope, some, route)
  .map(([namespace, kind, whose, key, where]) => ({
    namespace,
    kind,
    scope: whose,
    key,
    ...(where && { route: where }),
  }))

const base: RecordKeyParts = {
  namespace: '',
  kind: 'http',
  scope: { kind: 'of', name: 'a' },
  key: 'k',
}

describe('a record key', () => {
  it('is shared only by what has every part in common', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const shown = ({ route: where = ['', ''], ...rest }: RecordKeyParts) =>
          JSON.stringify([rest.namespace, rest.kind, rest.scope, rest.key, where])
        expect(recordKeyOf(a) === recordKeyOf(b)).toBe(shown(a) === shown(b))
      }),
      { numRuns: 3_000 },
    )
  })

  it('keeps scope and key apart, wherever the text between them is cut', () => {
    const text = 'a:b:c:1:'
    const keys = Array.from({ length: text.length }, (_, at) =>
      recordKeyOf({ ...base, scope: { kind: 'of', name: text.slice(0, at) }, key: text.slice(at) }),
    )
    expect(new Set(keys).size).toBe(text.length)
  })

  it('of a caller named "global" is not of the space that all callers share', () => {
    const shared = recordKeyOf({ ...base, scope: { kind: 'global' } })
    expect(recordKeyOf({ ...base, scope: { kind: 'of', name: 'global' } })).not.toBe(shared)
    expect(recordKeyOf({ ...base, scope: { kind: 'of', name: '' } })).not.toBe(shared)
  })

  it('differs by namespace, and between requests and functions', () => {
    const keys = [base, { ...base, namespace: 'shop' }, { ...base, kind: 'run' as const }]
    expect(new Set(keys.map(recordKeyOf)).size).toBe(3)
  })

  it('shows nothing that a client sent', () => {
    fc.assert(
      fc.property(parts, (some) => {
        expect(recordKeyOf(some)).toMatch(/^[A-Za-z0-9_-]{43}$/)
      }),
    )
  })
})

describe('a derived key', () => {
  it('is a UUID of version 8', () => {
    fc.assert(
      fc.property(some, some, (recordKey, name) => {
        const key = derivedKeyOf(recordKey, name)
        expect(key).toMatch(uuid)
        expect(key).toMatch(/^.{14}8.{4}[89ab]/)
      }),
    )
  })

  it('is the same again, and another for every name and record', () => {
    fc.assert(
      fc.property(some, some, some, some, (recordKey, name, otherKey, otherName) => {
        const same = recordKey === otherKey && name === otherName
        expect(derivedKeyOf(recordKey, name) === derivedKeyOf(otherKey, otherName)).toBe(same)
      }),
    )
  })

  it('never changes between versions of the library, since downstream APIs remember it', () => {
    expect(derivedKeyOf('record', 'payout')).toMatchInlineSnapshot(
      `"09450517-ba8c-8260-90b9-ab26985946c5"`,
    )
    expect(recordKeyOf(base)).toMatchInlineSnapshot(`"wE_CqdC1mvz4G2leBnEqfVOb83nMXW8dDruEOfRieFI"`)
  })
})
