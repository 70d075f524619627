import { describe, expect, it } from 'vitest'
import { answer, answerOf } from '../src/answer.js'
import { decodeResult, encodeResult } from '../src/record.js'
import type { HttpResponse } from '../src/response.js'

/** What the bytes are known as, without reading the `Response`. */
const known = (value: unknown): HttpResponse => {
  const response = answerOf(value)
  if (response) return response
  throw new Error('it is no answer()')
}
const shown = (value: unknown) => {
  const { status, headers, body } = known(value)
  return { status, headers, text: Buffer.from(body).toString('latin1') }
}
const text = 'text/plain; charset=utf-8'

describe('an answer', () => {
  it.each<[string, unknown, string, string | undefined]>([
    ['nothing', undefined, '', undefined],
    ['an empty text', '', '', text],
    ['a text, as UTF-8', 'ä', 'Ã¤', text],
    ['bytes', Uint8Array.of(0, 255), '\0\xff', 'application/octet-stream'],
    ['a part of a buffer', Buffer.from('abc').subarray(1, 2), 'b', 'application/octet-stream'],
    ['an object', { id: 1 }, '{"id":1}', 'application/json'],
    ['null', null, 'null', 'application/json'],
    ['false', false, 'false', 'application/json'],
    ['a list', [], '[]', 'application/json'],
  ])('of %s has its bytes and their type', async (_, body, bytes, type) => {
    const given = answer(201, body)
    const headers = type === undefined ? [] : [['Content-Type', type]]
    expect(shown(given)).toEqual({ status: 201, headers, text: bytes })
    expect(given.status).toBe(201)
    expect(given.headers.get('content-type')).toBe(type ?? null)
    expect(Buffer.from(await given.arrayBuffer()).toString('latin1')).toBe(bytes)
  })

  it('has the Content-Type that it is given, in any case, and only that', () => {
    const headers = { 'content-TYPE': 'application/vnd.api+json' }
    expect(shown(answer(200, { a: 1 }, headers)).headers).toEqual(Object.entries(headers))
  })

  it('has its fields by name or as pairs, a name as often as it is given', () => {
    const pairs = [
      ['Link', '</a>'],
      ['link', '</b>'],
    ] as const
    expect(shown(answer(200, undefined, pairs)).headers).toEqual(pairs)
    expect(answer(200, undefined, pairs).headers.get('link')).toBe('</a>, </b>')
    expect(shown(answer(303, undefined, { Location: '/a' })).headers).toEqual([['Location', '/a']])
  })

  it.each([204, 205, 304])('of status %d has no content', async (status) => {
    const given = answer(status, { a: 1 }, { ETag: '"a"' })
    expect(shown(given)).toEqual({ status, headers: [['ETag', '"a"']], text: '' })
    expect(given.body).toBeNull()
  })

  it.each([0, 101, 199, 600, 1000, Number.NaN])('cannot have the status %d', (status) => {
    expect(() => answer(status)).toThrow(RangeError)
  })

  it('cannot have a body that JSON has no word for', () => {
    for (const body of [() => 1, Symbol('a'), 1n])
      expect(() => answer(200, body)).toThrow(TypeError)
  })

  it('has only fields that can be sent and read back from a record', () => {
    for (const value of ['a\nb', 'a\r\nSet-Cookie: b', 'a\u0001b', 'a\u007f', 'a\0', '\u0100'])
      expect(() => answer(200, '', { ETag: value })).toThrow(TypeError)
    for (const name of ['', 'two words', 'a:b', 'ä'])
      expect(() => answer(200, '', { [name]: 'a' })).toThrow(TypeError)
  })

  it('takes white space around a field, and a number, for what is sent of it', () => {
    const headers = { Location: '\t/orders/1 \r\n', 'X-Count': 5 as never }
    const given = answer(201, '', headers)
    expect(shown(given).headers.slice(1)).toEqual([
      ['Location', '/orders/1'],
      ['X-Count', '5'],
    ])
    expect(given.headers.get('location')).toBe('/orders/1')
    const response = known(given)
    expect(decodeResult(encodeResult({ kind: 'response', response }))).toEqual({
      kind: 'response',
      response: { ...response, body: Buffer.from(response.body) },
    })
  })

  it('stays what it is when the buffer that it was made of is used again', () => {
    const buffer = Buffer.from('paid')
    const given = answer(200, buffer)
    buffer.fill('x')
    expect(shown(given).text).toBe('paid')
  })

  it('is known by itself alone', () => {
    const given = answer(200, 'a')
    for (const other of [
      given.clone(),
      new Response('a'),
      { ...known(given) },
      null,
      undefined,
      'a',
    ])
      expect(answerOf(other)).toBeUndefined()
  })
})
