import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../src/errors.js'
import { decodeResult, encodeResult, isFinalStatus, type StoredResult } from '../src/record.js'
import { codeUnit } from './json-document.js'

const fieldName = fc.constantFrom('Location', 'ETag', 'x-empty', 'Link', '__proto__')
const fieldValue = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .map((code) => String.fromCharCode(code === 0x7f ? 0x20 : code)),
})
const response: fc.Arbitrary<StoredResult> = fc
  .record({
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 4 }),
    body: fc.uint8Array({ maxLength: 300 }),
  })
  .map((given) => ({ kind: 'response', response: given }))
const results: fc.Arbitrary<StoredResult> = fc.oneof(
  response,
  fc
    .option(fc.webUrl(), { nil: undefined })
    .map((location): StoredResult => ({ kind: 'response-not-stored', location })),
  fc.jsonValue().map((value): StoredResult => ({ kind: 'value', value })),
  fc.string({ unit: codeUnit }).map((value): StoredResult => ({ kind: 'value', value })),
  fc.constant<StoredResult>({ kind: 'value', value: undefined }),
  fc.constant<StoredResult>({ kind: 'value-not-stored' }),
)

/** As JSON keeps it: -0 is 0. */
const kept = (result: StoredResult): unknown => {
  if (result.kind === 'value' && result.value !== undefined)
    return { ...result, value: JSON.parse(JSON.stringify(result.value)) }
  if (result.kind !== 'response') return result
  const { status, headers, body } = result.response
  return { kind: result.kind, response: { status, headers, body: Buffer.from(body) } }
}

const some: readonly StoredResult[] = [
  {
    kind: 'response',
    response: {
      status: 201,
      headers: [['Location', '/orders/1']],
      body: Uint8Array.of(0, 255, 10),
    },
  },
  { kind: 'response-not-stored', location: '/a' },
  { kind: 'value', value: { a: [1, 'é'] } },
  { kind: 'value-not-stored' },
]

/** What another writer could have written: any bytes, under a checksum that fits. */
const written = (kind: number, head: string, body: Uint8Array = new Uint8Array()): Uint8Array => {
  const text = Buffer.from(head, 'utf8')
  const rest = Buffer.concat([Buffer.from([kind, 0, 0, 0, 0]), text, body])
  rest.writeUInt32BE(text.length, 1)
  const checksum = createHash('sha256').update(rest).digest().subarray(0, 8)
  return Buffer.concat([Buffer.from([1]), checksum, rest])
}

const refused = (bytes: Uint8Array): void => {
  expect(() => decodeResult(bytes)).toThrow(StoreError)
  expect(() => decodeResult(bytes)).toThrow(expect.objectContaining({ code: 'store-unavailable' }))
}

describe('a stored result', () => {
  it('is read as it was written, byte for byte', () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(decodeResult(encodeResult(result))).toEqual(kept(result))
      }),
      { numRuns: 500 },
    )
  })

  it('keeps every byte that a body can have', () => {
    const body = Uint8Array.from({ length: 512 }, (_, at) => at % 256)
    const result = decodeResult(
      encodeResult({ kind: 'response', response: { status: 200, headers: [], body } }),
    )
    expect(result.kind === 'response' && Buffer.compare(result.response.body, body)).toBe(0)
  })

  it('is read out of the middle of a larger buffer', () => {
    for (const result of some) {
      const bytes = encodeResult(result)
      const large = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
      expect(decodeResult(large.subarray(6, 6 + bytes.length))).toEqual(kept(result))
    }
  })

  it('cannot be read with any one bit changed', () => {
    for (const result of some) {
      const bytes = encodeResult(result)
      for (let at = 0; at < bytes.length * 8; at++) {
        const corrupt = new Uint8Array(bytes)
        corrupt[at >> 3] = (corrupt[at >> 3] ?? 0) ^ (1 << (at & 7))
        expect(() => decodeResult(corrupt), `bit ${at}`).toThrow(StoreError)
      }
    }
  })

  it('cannot be read truncated anywhere, nor with anything after it', () => {
    for (const result of some) {
      const bytes = encodeResult(result)
      for (let length = 0; length < bytes.length; length++) refused(bytes.subarray(0, length))
      refused(Buffer.concat([bytes, Buffer.from([0])]))
    }
  })

  it('cannot be read where a future version wrote it', () => {
    const bytes = encodeResult({ kind: 'value', value: 1 })
    bytes[0] = 2
    refused(bytes)
    expect(() => decodeResult(bytes)).toThrow('version 2')
  })

  it('can be told of as not stored, with the place of what it made', () => {
    expect(decodeResult(written(1, '"/orders/1"'))).toEqual({
      kind: 'response-not-stored',
      location: '/orders/1',
    })
    expect(decodeResult(written(1, 'null'))).toEqual({
      kind: 'response-not-stored',
      location: undefined,
    })
  })

  it.each([
    ['a kind that nobody knows', written(9, '[200,[]]')],
    ['a head that is no JSON', written(0, '[200,[]')],
    ['a head longer than the whole', Buffer.concat([written(0, '[200,[]]').subarray(0, 14)])],
    ['no status', written(0, 'null')],
    ['a status that is no number', written(0, '["200",[]]')],
    ['a status that is not final', written(0, '[101,[]]')],
    ['a status that HTTP does not know', written(0, '[600,[]]')],
    ['a status that is no whole number', written(0, '[200.5,[]]')],
    ['headers that are no list', written(0, '[200,{}]')],
    ['a header of three parts', written(0, '[200,[["a","b","c"]]]')],
    ['a header whose value is no text', written(0, '[200,[["a",1]]]')],
    ['a header without a name', written(0, '[200,[["","b"]]]')],
    ['a header name with a space', written(0, '[200,[["a b","c"]]]')],
    ['a header value with a line break', written(0, '[200,[["a","b\\r\\nSet-Cookie: c"]]]')],
    ['a header value with a NUL', written(0, '[200,[["a","\\u0000"]]]')],
    ['a header value beyond one byte', written(0, '[200,[["a","\\u0100"]]]')],
  ])('cannot be read with %s, though its checksum fits', (_, bytes) => {
    refused(bytes)
  })
})

describe('a final status', () => {
  it('is a whole number from 200 to 599', () => {
    for (const status of [200, 204, 303, 404, 599]) expect(isFinalStatus(status)).toBe(true)
    for (const status of [100, 101, 199, 600, 200.5, Number.NaN, '200', undefined]) {
      expect(isFinalStatus(status)).toBe(false)
    }
  })
})
