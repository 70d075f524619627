import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compressed } from '../src/compressed.js'
import { isIdempotencyError, OptionError } from '../src/errors.js'
import { differingOption, keyJudge, resolveHttp, resolveRun } from '../src/settings.js'
import type { IdempotencyStore } from '../src/store.js'

const never = async (): Promise<never> => {
  throw new Error('never asked')
}
const store: IdempotencyStore = {
  acquire: never,
  renew: never,
  complete: never,
  fail: never,
  release: never,
  read: never,
  purgeExpired: never,
  close: never,
}
const right = { store, scope: 'global' as const }

/** Options as JavaScript may give them. */
const resolved = (options: unknown) => resolveHttp(options as Parameters<typeof resolveHttp>[0])

const thrownBy = (action: () => unknown): Error => {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

const shape = /^idempotency: expected .+, got .+\. .+\. https:\/\/[^ ]+\/errors\/[a-z-]+$/s

const durations = [
  'leaseMs',
  'maxRunMs',
  'retentionMs',
  'doubtRetentionMs',
  'storeTimeoutMs',
  'graceMs',
]
const sizes = ['maxStoredBody', 'maxKeyLength', 'maxRequestBody']
const noCount = [
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  '1000',
  null,
  1n,
  [1000],
]

const wrong: readonly (readonly [string, readonly unknown[]])[] = [
  ...[...durations, ...sizes].map((name) => [name, noCount] as const),
  ['store', [undefined, null, 'memory', {}, { ...store, renew: 1 }, () => store]],
  ['scope', [undefined, null, 'tenant', 'Global', {}, 1]],
  ['namespace', [null, 1, {}]],
  ['onDoubt', [null, 'run', true]],
  [
    'onInFlight',
    [
      null,
      'wait',
      [],
      { retryAfterMs: 0 },
      { waitMs: 0 },
      { maxWaiters: 0 },
      { poll: 1 },
      { retryAfterMs: '1' },
    ],
  ],
  ['codec', [null, 'gzip', {}, [{}], { synchronous: true, readsPlain: true, encode: () => 1 }]],
  ['onStoreDown', [null, 'run', true]],
  ['header', [null, '', 'two words', 'Key:', 1, 'Schlüssel']],
  ['replayedHeader', [null, '', 'a\nb', 1]],
  ['key', [null, 'id', {}]],
  ['keySyntax', [null, 'loose', true]],
  ['keyFormat', [null, 'ulid', {}, 1]],
  ['keyScope', [null, 'path']],
  ['required', [null, 'yes', 1]],
  [
    'methods',
    [
      null,
      'POST',
      [],
      ['GET'],
      ['POST', 'HEAD'],
      ['OPTIONS'],
      ['TRACE'],
      ['post'],
      ['get'],
      [''],
      [1],
    ],
  ],
  ['skip', [null, true]],
  [
    'fingerprint',
    [null, true, 'raw', [], { json: 'exact' }, { header: [] }, { headers: 'a' }, { headers: [''] }],
  ],
  ['keep', [null, 'none', true, {}]],
  ['replayHeaders', [null, 'ETag', ['Set-Cookie'], ['date'], [''], [1]]],
  [
    'status',
    [null, [], { mismatch: 200 }, { inFlight: 600 }, { mismatch: '422' }, { inflight: 409 }],
  ],
  ['problem', [null, {}, 'text']],
  ['problemBase', [null, '', '/errors/', 1]],
  ['docsUrl', [null, '', 'docs', 1]],
]

describe('a wrong option', () => {
  for (const [name, values] of wrong) {
    it(`${name} is one clear error at construction`, () => {
      for (const value of values) {
        const error = thrownBy(() => resolved({ ...right, [name]: value }))
        expect(error).toBeInstanceOf(OptionError)
        expect(error.message).toMatch(shape)
        expect(error.message).toContain(`expected "${name}" to be `)
        expect(isIdempotencyError(error) && error.code).toBe('option-invalid')
      }
    })
  }

  it('that nothing reads is an error that names it and all others', () => {
    const error = thrownBy(() => resolved({ ...right, ttl: 1 }))
    expect(error.message).toMatch(shape)
    expect(error.message).toContain('got "ttl"')
    expect(error.message).toContain('retentionMs')
    expect(() => resolveRun({ store, scope: 'global' } as never)).toThrow('"scope"')
  })

  it('in place of all options is an error', () => {
    for (const options of [undefined, null, 'options', 1]) {
      expect(thrownBy(() => resolved(options)).message).toMatch(shape)
    }
  })

  it('says what the contract says for a missing scope', () => {
    expect(thrownBy(() => resolved({ store })).message).toBe(
      `idempotency: expected "scope" to be a function or 'global', got undefined. A key belongs to a caller: ` +
        `without a scope, one customer could receive another's answer. https://retrysafe.dev/errors/scope-missing`,
    )
  })

  it('never shows what a client or a store carries inside', () => {
    class Client {
      readonly password = 'secret'
    }
    for (const given of [new Client(), { url: 'redis://:secret@host' }]) {
      expect(thrownBy(() => resolved({ ...right, store: given })).message).not.toContain('secret')
    }
    expect(thrownBy(() => resolved({ ...right, onInFlight: new Client() })).message).not.toContain(
      'secret',
    )
  })

  it('is shown in short', () => {
    const long = { ...right, methods: Array.from({ length: 10_000 }, () => 'get') }
    expect(thrownBy(() => resolved(long)).message.length).toBeLessThan(500)
    const text = { ...right, onDoubt: 'a'.repeat(10_000) }
    expect(thrownBy(() => resolved(text)).message.length).toBeLessThan(500)
  })
})

describe('the right options', () => {
  it('are each accepted', () => {
    const choices: Record<string, readonly unknown[]> = {
      scope: ['global', () => 'a'],
      namespace: ['', 'shop'],
      onDoubt: ['run-again', 'reject', () => 'run-again'],
      onInFlight: [
        {},
        { retryAfterMs: 1 },
        { retryAfterMs: undefined },
        { waitMs: 1, maxWaiters: 1 },
      ],
      codec: [[], compressed(), [compressed()]],
      onReplay: [undefined, () => undefined],
      onStoreDown: ['refuse', 'run-unprotected'],
      header: ['X-Key'],
      key: [undefined, () => 'a'],
      keySyntax: ['both', 'strict', 'opaque'],
      keyFormat: [undefined, 'uuid', /a/, () => true],
      keyScope: ['caller', 'route'],
      required: [true, false],
      methods: [['PUT'], ['DELETE', 'POST'], ['PROPFIND']],
      skip: [undefined, () => true],
      fingerprint: [false, () => '', {}, { json: 'raw' }, { headers: ['X-A'] }],
      keep: ['default', 'success-only', 'all', () => 'complete'],
      replayHeaders: [undefined, [], ['ETag']],
      status: [{}, { mismatch: 400, inFlight: 599 }],
      problem: [undefined, () => ({})],
      problemBase: ['https://shop.example/errors/', 'urn:problem:'],
      docsUrl: [undefined, 'https://shop.example/docs'],
    }
    for (const [name, values] of Object.entries(choices)) {
      for (const value of values)
        expect(() => resolved({ ...right, [name]: value }), name).not.toThrow()
    }
  })

  it('take any positive whole numbers of milliseconds, in any combination', () => {
    const duration = fc.oneof(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    )
    const combination = fc.record(Object.fromEntries(durations.map((name) => [name, duration])))
    fc.assert(
      fc.property(combination, (given) => {
        expect(resolved({ ...right, ...given })).toMatchObject(given)
      }),
    )
  })

  it('have the defaults of the contract', () => {
    expect(resolved(right)).toMatchObject({
      leaseMs: 60_000,
      maxRunMs: 900_000,
      retentionMs: 86_400_000,
      doubtRetentionMs: 2_592_000_000,
      storeTimeoutMs: 2_000,
      graceMs: 10_000,
      maxStoredBody: 1_048_576,
      maxRequestBody: 1_048_576,
      maxKeyLength: 255,
      methods: ['POST', 'PATCH'],
      header: 'Idempotency-Key',
      replayedHeader: 'Idempotent-Replayed',
      onDoubt: 'run-again',
      onStoreDown: 'refuse',
      keySyntax: 'both',
      keyScope: 'caller',
      required: false,
      keep: 'default',
    })
  })
})

describe('two sets of options', () => {
  const differing = (a: object, b: object) =>
    differingOption(resolved({ ...right, ...a }), resolved({ ...right, ...b }))
  const scope = () => 'a'

  it('are equal when each option has the same value', () => {
    const pairs: [object, object][] = [
      [{}, {}],
      [{}, { leaseMs: 60_000 }],
      [{ methods: ['PUT'] }, { methods: ['PUT'] }],
      [{ keyFormat: /^a/i }, { keyFormat: /^a/i }],
      [{ status: { mismatch: 400 } }, { status: { mismatch: 400 } }],
      [{ scope }, { scope }],
    ]
    for (const [a, b] of pairs) expect(differing(a, b)).toBeUndefined()
  })

  it('name the first that differs', () => {
    const pairs: [string, object, object][] = [
      ['leaseMs', {}, { leaseMs: 1 }],
      ['store', {}, { store: { ...store } }],
      ['scope', { scope: () => 'a' }, { scope: () => 'a' }],
      ['methods', { methods: ['PUT'] }, { methods: ['PUT', 'POST'] }],
      ['keyFormat', { keyFormat: /a/ }, { keyFormat: /a/i }],
      ['keyFormat', { keyFormat: /a/ }, {}],
      ['fingerprint', { fingerprint: false }, {}],
      ['status', { status: { mismatch: 400 } }, { status: { inFlight: 400 } }],
      ['docsUrl', {}, { docsUrl: 'https://shop.example' }],
    ]
    for (const [name, a, b] of pairs) {
      expect(differing(a, b)).toBe(name)
      expect(differing(b, a)).toBe(name)
    }
  })
})

describe('the format of a key', () => {
  it('is any, a UUID, an expression or a function', () => {
    expect(keyJudge(undefined)('anything')).toBe(true)
    expect(keyJudge('uuid')('8e03978e-40d5-43e8-bc93-6894a57f9324')).toBe(true)
    expect(keyJudge('uuid')('8e03978e')).toBe(false)
    expect(keyJudge((key) => key === 'a')('b')).toBe(false)
  })

  it('is judged afresh each time, whatever the flags of the expression', () => {
    for (const format of [/^a+$/g, /^a+$/y, /^A+$/giy]) {
      const isRight = keyJudge(format)
      expect([isRight('aa'), isRight('aa'), isRight('b'), isRight('aa')]).toEqual([
        true,
        true,
        false,
        true,
      ])
    }
  })
})
