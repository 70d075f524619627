import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { compareFingerprints, type FingerprintSource, fingerprintOf } from '../src/fingerprint.js'
import { type FingerprintOptions, fingerprintSettings } from '../src/fingerprint-settings.js'

type Body = FingerprintSource['body']

const secret = 'a secret of thirty-two characters'
const other = 'b secret of thirty-two characters'
const form = 'application/x-www-form-urlencoded'

const json = (value: string): Body => ({ kind: 'bytes', bytes: Buffer.from(value) })
const parsed = (value: unknown): Body => ({ kind: 'parsed', value })

const source = (body: Body, mediaType: string, contentType: string): FingerprintSource => ({
  method: 'POST',
  target: '/orders',
  mediaType,
  fieldLines: (name) => (name === 'content-type' ? [contentType] : []),
  body,
})

const made = (options: FingerprintOptions, body: Body, mediaType = 'application/json') => {
  const answer = fingerprintOf(source(body, mediaType, mediaType), fingerprintSettings(options))
  if (answer.kind !== 'fingerprint') throw new Error(answer.kind)
  return answer
}
const of = (options: FingerprintOptions, body: Body, mediaType?: string): string =>
  made(options, body, mediaType).fingerprint

/** How a record of `then` is judged for a request under `now`. */
const judged = (
  now: FingerprintOptions,
  then: FingerprintOptions,
  body = json('{"a":1}'),
  before = body,
) => {
  const { fingerprint, earlier } = made(now, body)
  return compareFingerprints(fingerprint, of(then, before), earlier)
}

describe('a form with fields left out', () => {
  const compared = (exclude: readonly string[], a: Body, b: Body) =>
    compareFingerprints(of({ exclude }, a, form), of({ exclude }, b, form))

  it('counts by the rest, on its bytes and behind a parser', () => {
    const bytes = json('sku=A&at=1&sku=B')
    for (const body of [json('sku=A&sku=B'), json('at=2&sku=A&sku=B&at=3')]) {
      expect(compared(['at'], bytes, body)).toBe('same')
    }
    expect(compared(['at'], bytes, parsed({ sku: ['A', 'B'], at: '9' }))).toBe('same')
    expect(compared(['at'], bytes, parsed({ sku: ['A', 'C'], at: '1' }))).toBe('different')
    expect(compared(['/at'], bytes, parsed({ sku: ['A', 'B'] }))).toBe('same')
  })

  it.each([
    ['a', 'a[]=1&a[]=2&a[b]=3&c=4', { a: { 0: '5', b: '6' }, c: '4' }],
    ['a', 'a[0][b]=1&c=4', { 'a[0][b]': '7', c: '4' }],
    ['a[]', 'a[]=1&c=4', { a: ['8'], c: '4' }],
    ['a[b]', 'a[b]=1&a[b][c]=2&c=4', { a: { b: { c: '9' } }, c: '4' }],
  ])('leaves out with %s all that is below it', (name, text, value) => {
    expect(compared([name], json(text), json('c=4'))).toBe('same')
    expect(compared([name], json(text), parsed(value))).toBe('same')
    expect(compared([name], json(text), json('c=5'))).toBe('different')
  })

  it('keeps what only looks alike', () => {
    expect(compared(['a'], json('ab=1'), json('ab=2'))).toBe('different')
    expect(compared(['a[b]'], json('a[c]=1'), json('a[c]=2'))).toBe('different')
    expect(compared(['/a/b'], json('a[b]=1'), json('a[b]=2'))).toBe('different')
  })
})

describe('what is no document', () => {
  it('counts by its bytes, whatever is left out', () => {
    const exclude = ['a']
    for (const text of ['{"a":1', 'a=1', '{"a":1}}']) {
      const changed = json(text.replace('1', '2'))
      expect(compareFingerprints(of({ exclude }, json(text)), of({ exclude }, changed))).toBe(
        'different',
      )
    }
    const plain = [json('{"a":1}'), json('{"a":2}')].map((body) =>
      of({ exclude }, body, 'text/plain'),
    )
    expect(plain[0]).not.toBe(plain[1])
  })

  it('never has its bytes in what can be left out of', () => {
    expect(of({ exclude: ['a'] }, json('{"a":1}'))).not.toContain('bytes')
    expect(of({ exclude: ['a'] }, json('a=1'), form)).not.toContain('bytes')
  })
})

describe('a multipart body', () => {
  const sent = (
    boundary: string,
    content = '1',
    type = `multipart/form-data; boundary=${boundary}`,
  ) => {
    const body = `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${content}\r\n--${boundary}--\r\n`
    const answer = fingerprintOf(
      source(json(body), 'multipart/form-data', type),
      fingerprintSettings({}),
    )
    return answer.kind === 'fingerprint' ? answer.fingerprint : answer.kind
  }

  it('is the same under another boundary, quoted or not, and of other content another', () => {
    expect(sent('x1y')).toBe(sent('z2'))
    expect(sent('x1y')).toBe(sent('z2', '1', 'Multipart/Form-Data; charset=utf-8; BOUNDARY="z2"'))
    expect(sent('x1y')).not.toBe(sent('z2', '2'))
    expect(sent('x1y')).not.toBe(sent('z2', 'x1y'))
    expect(sent('b', '\r\n--b')).not.toBe(sent('b', '\r\n--c'))
  })

  it('counts by its bytes where no boundary is told or found', () => {
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=other']) {
      expect(sent('x1y', '1', type)).toBe(sent('x1y', '1', type))
      expect(sent('x1y', '1', type)).not.toBe(sent('z2', '1', type))
    }
  })
})

describe('a secret', () => {
  it('makes an HMAC of what is a hash without it', () => {
    const body = json('1')
    const parts = ['POST', '/orders', 'text/plain', 'bytes', '1']
    const input = parts.map((part) => `${part.length}:${part}`).join('')
    const hash = createHash('sha256').update(input).digest('base64url')
    const tag = createHmac('sha256', secret).update(input).digest('base64url')
    expect(of({}, body, 'text/plain')).toBe(`1:bytes=${hash}`)
    expect(of({ secret }, body, 'text/plain').split(':')[1]).toBe(`bytes=${tag}`)
  })

  it('covers every form of a body', () => {
    for (const [text, type] of [
      ['{"a":1}', 'application/json'],
      ['a=1', form],
      ['', 'text/plain'],
    ] as const) {
      const [plain, keyed] = [of({}, json(text), type), of({ secret }, json(text), type)]
      const values = plain
        .replace(/^.*?:/, '')
        .split(',')
        .map((entry) => entry.split('=')[1] ?? '')
      for (const value of values) expect(keyed).not.toContain(value)
    }
  })

  it('is the same as text and as bytes, and is copied', () => {
    const bytes = new Uint8Array(Buffer.from(secret))
    const settings = fingerprintSettings({ secret: bytes })
    bytes.fill(0)
    const request = source(json('1'), 'text/plain', 'text/plain')
    const answer = fingerprintOf(request, settings)
    expect(answer).toEqual({
      kind: 'fingerprint',
      fingerprint: of({ secret }, json('1'), 'text/plain'),
    })
  })

  it('has an id of its own, which does not show it', () => {
    const ids = [{}, { secret }, { secret: other }, { secret, exclude: ['a'] }].map(
      (options) => fingerprintSettings(options).id,
    )
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^1(?:hmac)?(?:\.[\w-]{8})?$/)
  })
})

describe('an id', () => {
  const id = (options: FingerprintOptions): string => fingerprintSettings(options).id

  it('is another for each setting', () => {
    const ids = [
      {},
      { json: 'raw' },
      { headers: ['a'] },
      { headers: ['a', 'b'] },
      { exclude: ['a'] },
      { exclude: ['/a'] },
      { exclude: ['a', 'b'] },
      { headers: ['a'], exclude: ['b'] },
      { json: 'raw', headers: ['a'] },
    ].map((options) => id(options as FingerprintOptions))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('does not depend on order, repetition, or the case of a field', () => {
    expect(id({ headers: ['B', 'a'], exclude: ['y', 'x', 'y'] })).toBe(
      id({ headers: ['a', 'b', 'A'], exclude: ['x', 'y'] }),
    )
    expect(id({ exclude: ['A'] })).not.toBe(id({ exclude: ['a'] }))
  })

  it('does not know of earlier settings', () => {
    expect(id({ secret, previous: [{}, { secret: other }] })).toBe(id({ secret }))
  })
})

describe('a record that was made under other settings', () => {
  const settings: Record<string, FingerprintOptions> = {
    nothing: {},
    'json raw': { json: 'raw' },
    'a header': { headers: ['x-a'] },
    'a member left out': { exclude: ['b'] },
    'a secret': { secret },
    'another secret': { secret: other },
    'a secret and more': { secret, headers: ['x-a'], exclude: ['b'] },
  }
  const entries = Object.entries(settings)

  it.each(entries)('of %s can be read where those are listed, and nowhere else', (_, then) => {
    for (const [name, now] of entries) {
      const listed = { ...now, previous: [{ secret: 'something else entirely' }, then] }
      expect(judged(listed, then), name).toBe('same')
      expect(judged(listed, then, json('{"a":2}'), json('{"a":1}')), name).toBe('different')
      if (now === then) continue
      expect(judged(now, then), name).toBe('unreadable')
      expect(judged({ ...now, previous: [now] }, then), name).toBe('unreadable')
    }
  })

  it('is compared by what they leave out, and not by what is left out now', () => {
    const [short, long] = [json('{"a":1}'), json('{"a":1,"b":2}')]
    expect(judged({ previous: [{ exclude: ['b'] }] }, { exclude: ['b'] }, long, short)).toBe('same')
    expect(judged({ exclude: ['b'], previous: [{}] }, {}, long, short)).toBe('different')
  })

  it('is compared in the form that both have', () => {
    const now = { secret, previous: [{}] }
    expect(judged(now, {}, parsed({ a: 1 }), json('{"a":1.0}'))).toBe('same')
    expect(judged(now, {}, json('{"a":1}'), json('{"a":1.0}'))).toBe('different')
    expect(judged(now, {}, json('{"a":1'), parsed({ a: 1 }))).toBe('different')
  })

  it('is asked for only then', () => {
    let reads = 0
    const request: FingerprintSource = {
      ...source(json('1'), 'text/plain', 'text/plain'),
      get body() {
        reads++
        return json('1')
      },
    }
    const answer = fingerprintOf(request, fingerprintSettings({ secret, previous: [{}] }))
    if (answer.kind !== 'fingerprint') throw new Error(answer.kind)
    const before = reads
    compareFingerprints(answer.fingerprint, answer.fingerprint, answer.earlier)
    compareFingerprints(answer.fingerprint, '9:bytes=a', answer.earlier)
    expect(reads).toBe(before)
    compareFingerprints(answer.fingerprint, '1:bytes=a', answer.earlier)
    expect(reads).toBe(before + 1)
    expect(made({}, json('1'))).not.toHaveProperty('earlier')
  })

  it('of a request that they would have refused is another', () => {
    const large = 'a'.repeat(700_000)
    const now = { exclude: ['b'], previous: [{}] }
    const body = parsed({ a: large, b: large })
    expect(judged(now, {}, body, json('{}'))).toBe('different')
    expect(judged({ exclude: ['b'] }, {}, body, json('{}'))).toBe('unreadable')
  })
})
