import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HeaderPairs } from '../src/response.js'
import { isNeverReplayed, keepOf, storedHeaders } from '../src/response-policy.js'

const statuses = Array.from({ length: 400 }, (_, at) => 200 + at)

describe('what becomes of an answer', () => {
  const released = [401, 403, 429]
  const failed = [408, 409, 423, 425]

  it('by default: business answers are kept, transient faults run again, what concerns the caller leaves no trace', () => {
    for (const status of statuses) {
      const expected = released.includes(status)
        ? 'release'
        : failed.includes(status) || status >= 500
          ? 'fail'
          : 'complete'
      expect(keepOf(status, 'default'), String(status)).toBe(expected)
    }
  })

  it('under success-only: 2xx and 3xx are kept, 4xx released, 5xx run again', () => {
    for (const status of statuses) {
      const expected = status < 400 ? 'complete' : status < 500 ? 'release' : 'fail'
      expect(keepOf(status, 'success-only'), String(status)).toBe(expected)
    }
  })

  it('under all: every answer is kept', () => {
    for (const status of statuses) expect(keepOf(status, 'all')).toBe('complete')
  })
})

describe('the headers of a record', () => {
  const never = [
    ...[
      'Set-Cookie',
      'WWW-Authenticate',
      'Proxy-Authenticate',
      'Proxy-Anything',
      'Authentication-Info',
    ],
    ...[
      'Connection',
      'Keep-Alive',
      'TE',
      'Trailer',
      'Transfer-Encoding',
      'Upgrade',
      'Content-Length',
    ],
    ...['Date', 'Age', 'Server-Timing', 'RateLimit', 'RateLimit-Policy', 'X-RateLimit-Remaining'],
    ...['X-Request-Id', 'traceparent', 'Access-Control-Allow-Origin', 'Access-Control-Anything'],
  ]

  it.each(never)('never contain %s, in any case', (name) => {
    for (const given of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(storedHeaders([[given, 'value']], [])).toEqual([])
    }
    expect(isNeverReplayed(name.toLowerCase())).toBe(true)
  })

  it('are all others, in order, unsplit and in their spelling', () => {
    const headers: HeaderPairs = [
      ['Location', '/orders/1'],
      ['ETag', '"a"'],
      ['Link', '</a>; rel="next", </b>'],
      ['link', '</c>'],
      ['Content-Type', 'text/plain'],
      ['X-Rate', '1'],
      ['Vary', 'Accept, Origin'],
    ]
    expect(storedHeaders(headers, [])).toEqual(headers)
  })

  it('do not contain what Connection names', () => {
    const headers: HeaderPairs = [
      ['Connection', 'close, X-Hop'],
      ['connection', ' x-other '],
      ['X-Hop', '1'],
      ['x-OTHER', '2'],
      ['X-Own', '3'],
    ]
    expect(storedHeaders(headers, [])).toEqual([['X-Own', '3']])
  })

  it('do not contain what was set in front of the layer and stayed the same', () => {
    const outer: HeaderPairs = [
      ['X-Powered-By', 'Express'],
      ['Vary', 'Origin'],
      ['X-Frame', 'DENY'],
    ]
    const headers: HeaderPairs = [
      ['x-powered-by', 'Express'],
      ['Vary', 'Origin'],
      ['Vary', 'Accept'],
      ['X-Frame', 'SAMEORIGIN'],
      ['X-Own', '1'],
    ]
    expect(storedHeaders(headers, outer)).toEqual(headers.slice(1))
  })

  it('are only those allowed, where a list says so', () => {
    const headers: HeaderPairs = [
      ['Location', '/a'],
      ['ETag', '"a"'],
      ['Date', 'now'],
    ]
    expect(storedHeaders(headers, [], new Set(['location', 'date']))).toEqual([['Location', '/a']])
    expect(storedHeaders(headers, [], new Set())).toEqual([])
  })

  it('are never more than what was given', () => {
    const pairs = fc.array(
      fc.tuple(fc.constantFrom('a', 'A', 'date', 'connection'), fc.constantFrom('a', 'b')),
    )
    fc.assert(
      fc.property(pairs, pairs, (headers, outer) => {
        const stored = storedHeaders(headers, outer)
        expect(headers.filter((pair) => stored.includes(pair))).toEqual(stored)
      }),
    )
  })
})
