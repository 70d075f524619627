import { describe, expect, it } from 'vitest'
import { OptionError } from '../src/errors.js'
import { differingOption, resolveHttp } from '../src/settings.js'
import { faultyStore } from './faulty-store.js'

const store = faultyStore()
const secret = 'sixteen letters!'
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** The fingerprint as JavaScript may give it. */
const resolved = (fingerprint: unknown) =>
  resolveHttp({ store, scope: 'global', fingerprint } as Parameters<typeof resolveHttp>[0])

const refusal = (fingerprint: unknown): string => {
  try {
    resolved(fingerprint)
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    return (error as OptionError).message
  }
  throw new Error('nothing was thrown')
}

describe('the option fingerprint', () => {
  it.each([
    [{ exclude: [] }],
    [{ exclude: ['at', '/a/0/b~0c~1', '/', 'a/b', '~'] }],
    [{ json: 'raw', exclude: [] }],
    [{ secret }],
    [{ secret: bytes(secret) }],
    [{ secret: Buffer.from(secret) }],
    [{ secret: 'é'.repeat(8) }],
    [{ previous: [] }],
    [
      {
        secret,
        previous: [{}, { json: 'raw' }, { secret: `another ${secret}` }, { exclude: ['a'] }],
      },
    ],
    [
      {
        json: undefined,
        headers: undefined,
        exclude: undefined,
        secret: undefined,
        previous: undefined,
      },
    ],
  ])('takes %j', (given) => {
    expect(() => resolved(given)).not.toThrow()
  })

  it.each([
    [{ exclude: 'at' }, 'exclude'],
    [{ exclude: [''] }, 'exclude'],
    [{ exclude: ['/~'] }, 'exclude'],
    [{ exclude: ['/a~2'] }, 'exclude'],
    [{ exclude: [1] }, 'exclude'],
    [{ exclude: null }, 'exclude'],
    [{ json: 'raw', exclude: ['at'] }, 'exclude'],
    [{ secret: '' }, 'secret'],
    [{ secret: 'fifteen letters' }, 'secret'],
    [{ secret: new Uint8Array(15) }, 'secret'],
    [{ secret: [secret] }, 'secret'],
    [{ secret: null }, 'secret'],
    [{ previous: {} }, 'previous'],
    [{ previous: null }, 'previous'],
    [{ previous: [false] }, 'previous'],
    [{ previous: [() => ''] }, 'previous'],
    [{ previous: [undefined] }, 'previous'],
    [{ previous: [{ previous: [] }] }, 'previous'],
    [{ previous: [{ json: 'raw', exclude: ['at'] }] }, 'previous'],
    [{ previous: [{ secret: '' }] }, 'secret'],
    [{ previous: [[]] }, 'previous'],
    [{ toString: 1 }, 'toString'],
  ])('refuses %j, and says what is wrong', (given, name) => {
    const message = refusal(given)
    expect(message).toContain('expected "fingerprint" to be ')
    expect(message.split(', got ')[1]).toContain(name)
  })

  it('never shows a secret, wherever it was put', () => {
    for (const given of [
      { secret: 'hush', headers: 1 },
      { secret: bytes('hush') },
      { secret: `hush ${secret}`, json: 'hush' },
      { secrets: 'hush hush hush hush' },
      { headers: ['hush hush'] },
      { exclude: ['/~hush'] },
      { json: 'hush' },
      { previous: ['hush hush hush hush'] },
      { previous: 'hush hush hush hush' },
      { previous: [{ secret: 'hush' }] },
      { secret: `hush ${secret}`, previous: [{ key: `hush ${secret}` }] },
      'hush hush hush hush',
      bytes('hush'),
      ['hush'],
    ]) {
      const message = refusal(given)
      expect(message).not.toContain('hush')
      expect(message).not.toContain('104')
    }
  })

  it('is the same at two mounts by value, a secret in bytes as well', () => {
    const differing = (a: unknown, b: unknown) => differingOption(resolved(a), resolved(b))
    const given = (last: string) => ({
      secret: bytes(`${secret}${last}`),
      exclude: ['a'],
      previous: [{ secret: `${secret}${last}` }],
    })
    expect(differing(given('1'), given('1'))).toBeUndefined()
    expect(differing({ secret: bytes(secret) }, { secret: bytes(secret) })).toBeUndefined()
    for (const [a, b] of [
      [given('1'), given('2')],
      [given('1'), { ...given('1'), previous: [] }],
      [given('1'), { ...given('1'), exclude: ['b'] }],
      [{ secret: bytes(secret) }, { secret: bytes(`${secret}1`) }],
      [{ secret }, {}],
    ]) {
      expect(differing(a, b)).toBe('fingerprint')
      expect(differing(b, a)).toBe('fingerprint')
    }
  })
})
