import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { betweenBoundaries, boundaryOf } from '../src/multipart.js'

const pieces = (body: string, boundary: string): string[] | undefined =>
  betweenBoundaries(Buffer.from(body, 'latin1'), boundary)?.map((piece) =>
    Buffer.from(piece).toString('latin1'),
  )

/** The same, slowly: line by line, a body without the boundaries of its delimiter lines. */
const slowPieces = (body: string, boundary: string): string[] | undefined => {
  const made = ['']
  let isOver = false
  for (const [at, line] of body.split('\r\n').entries()) {
    if (at > 0) made.push(`${made.pop()}\r\n`)
    const rest = line.startsWith(`--${boundary}`) ? line.slice(boundary.length + 2) : undefined
    const isEnded = at < body.split('\r\n').length - 1
    const isNext = rest !== undefined && isEnded && /^[ \t]*$/.test(rest)
    const isLast = rest !== undefined && /^--[ \t]*$/.test(rest)
    if (!isOver && (isNext || isLast)) made.push(rest ?? '')
    else made.push(`${made.pop()}${line}`)
    isOver ||= isLast
  }
  return made.length === 1 ? undefined : made
}

// Few and awkward, so that nearly every body has delimiters, whole and broken.
const scraps = fc
  .array(
    fc.constantFrom('--b', '--b', '--b--', '--bb', '\r\n', '\r\n', '\r', '\n', '-', ' ', '\t', 'x'),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

describe('the boundary of a media type', () => {
  it.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['multipart/form-data;boundary=abc', 'abc'],
    ['multipart/form-data; charset=utf-8; Boundary = abc ; a=b', 'abc'],
    ['multipart/form-data; boundary="a b:c"', 'a b:c'],
    ['multipart/form-data; boundary="a\\"b"; a="c"', 'a"b'],
    ['multipart/form-data; boundary=----WebKitFormBoundary/x+y', '----WebKitFormBoundary/x+y'],
    [`multipart/form-data; boundary=${'a'.repeat(70)}`, 'a'.repeat(70)],
    [`multipart/form-data; boundary=${'a'.repeat(71)}`, undefined],
    ['multipart/form-data; boundary=', undefined],
    ['multipart/form-data; boundary=""', undefined],
    ['multipart/form-data; myboundary=abc', undefined],
    ['multipart/form-data', undefined],
    [undefined, undefined],
  ])('of %s is %s', (contentType, boundary) => {
    expect(boundaryOf(contentType)).toBe(boundary)
  })
})

describe('what stands between boundaries', () => {
  it.each([
    ['two parts', '--b\r\n1\r\n--b\r\n2\r\n--b--', ['', '\r\n1\r\n', '\r\n2\r\n', '--']],
    ['a preamble', 'hi\r\n--b\r\n1\r\n--b--', ['hi\r\n', '\r\n1\r\n', '--']],
    ['an epilogue', '--b\r\n1\r\n--b--\r\n--b\r\n', ['', '\r\n1\r\n', '--\r\n--b\r\n']],
    ['padding', '--b \t\r\n1\r\n--b-- ', ['', ' \t\r\n1\r\n', '-- ']],
    ['no part', '--b--\r\n', ['', '--\r\n']],
    ['a longer boundary', '--b\r\n1\r\n--bb\r\n--b--', ['', '\r\n1\r\n--bb\r\n', '--']],
    ['a bare line feed', '--b\r\n1\n--b\r\n--b--', ['', '\r\n1\n--b\r\n', '--']],
    ['text in front', '--b\r\n1 --b\r\n--b--', ['', '\r\n1 --b\r\n', '--']],
    ['text behind', '--b\r\n--b x\r\n--b-- x', ['', '\r\n--b x\r\n--b-- x']],
    ['a body that breaks off', '--b\r\n1\r\n--b', ['', '\r\n1\r\n--b']],
  ])('is told for %s', (_, body, expected) => {
    expect(pieces(body, 'b')).toEqual(expected)
  })

  it('is nothing where no line is a delimiter', () => {
    for (const body of ['', '--', '--c\r\n', 'x--b\r\n', '--b', '--bb--', '\n--b--']) {
      expect(pieces(body, 'b')).toBeUndefined()
    }
  })

  it('is what a reading by lines tells', () => {
    fc.assert(
      fc.property(scraps, (body) => {
        expect(pieces(body, 'b')).toEqual(slowPieces(body, 'b'))
      }),
      { numRuns: 5_000 },
    )
  })

  it('is the whole body but for the boundary', () => {
    fc.assert(
      fc.property(scraps, (body) => {
        expect((pieces(body, 'b') ?? [body]).join('--b')).toBe(body)
      }),
      { numRuns: 2_000 },
    )
  })

  it('does not depend on the boundary', () => {
    fc.assert(
      fc.property(scraps, (body) => {
        const made = pieces(body, 'b')
        if (made) expect(pieces(made.join('--c'), 'c')).toEqual(made)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is read to the byte', () => {
    const bytes = Buffer.from([...Buffer.from('--\xe9\r\n', 'latin1'), 0, 255, 13, 10])
    const body = Buffer.concat([bytes, Buffer.from('--\xe9--', 'latin1')])
    expect(betweenBoundaries(body, '\xe9')).toEqual([
      Buffer.alloc(0),
      Buffer.from([13, 10, 0, 255, 13, 10]),
      Buffer.from('--'),
    ])
  })
})
