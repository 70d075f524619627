import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { RequestBody } from '../src/request.js'
import { withoutCoding } from '../src/request-coding.js'

const text = Buffer.from('{"sku":"A-100","delta":-5}')
const bytes = (content: Uint8Array): RequestBody => ({ kind: 'bytes', bytes: content })
const decoded = (body: RequestBody, lines: readonly string[], limit = 1_000) =>
  withoutCoding(body, lines, limit)

describe('a request body in a coding', () => {
  it.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['GZip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', text],
    ['gzip, identity, br', brotliCompressSync(gzipSync(text))],
    ['', text],
  ])('of %s is the one that was sent plain', async (coding, body) => {
    expect(await decoded(bytes(body), [coding])).toEqual(bytes(text))
    expect(await decoded(bytes(body), coding.split(','))).toEqual(bytes(text))
  })

  it('is decoded, too, where a parser left the bytes as they came', async () => {
    const body: RequestBody = { kind: 'parsed', value: gzipSync(text) }
    expect(await decoded(body, ['gzip'])).toEqual(bytes(text))
  })

  it('stays as it is where a coding is unknown, whichever of the list', async () => {
    for (const codings of ['zstd', 'gzip, zstd', 'zstd, gzip', 'constructor']) {
      const body = bytes(gzipSync(text))
      expect(await decoded(body, [codings])).toBe(body)
    }
  })

  it('stays as it is where it cannot be decoded', async () => {
    const broken = [text, gzipSync(text).subarray(0, 20), deflateRawSync(text), gzipSync(text)]
    for (const content of broken) {
      const body = bytes(content)
      expect(await decoded(body, ['deflate'])).toBe(body)
    }
    const twice = bytes(gzipSync(text))
    expect(await decoded(twice, ['gzip, gzip'])).toBe(twice)
  })

  it('stays as it is where a parser has made something else of it', async () => {
    for (const body of [
      { kind: 'parsed', value: { a: 1 } },
      { kind: 'parsed', value: 'text' },
      { kind: 'empty' },
      { kind: 'too-large' },
      { kind: 'consumed' },
    ] as const) {
      expect(await decoded(body, ['gzip'])).toBe(body)
    }
  })

  it('is too large where it unfolds to more than the limit, and at no step further', async () => {
    const zeros = gzipSync(Buffer.alloc(1_000))
    expect(await decoded(bytes(zeros), ['gzip'], 1_000)).toEqual(bytes(Buffer.alloc(1_000)))
    expect(await decoded(bytes(zeros), ['gzip'], 999)).toEqual({ kind: 'too-large' })
    for (const coding of ['gzip', 'deflate', 'br']) {
      const bomb = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }[coding]
      const content = bomb?.(Buffer.alloc(10 * 1024 * 1024)) ?? text
      expect(await decoded(bytes(content), [coding], 1_000)).toEqual({ kind: 'too-large' })
    }
    const nested = gzipSync(gzipSync(Buffer.alloc(1_000_000)))
    expect(await decoded(bytes(nested), ['gzip, gzip'], 10_000)).toEqual({ kind: 'too-large' })
  })

  it('has any limit that an option can say', async () => {
    const body = bytes(gzipSync(text))
    expect(await decoded(body, ['gzip'], Number.MAX_SAFE_INTEGER)).toEqual(bytes(text))
  })

  it('stays as it is under more codings than anybody applies', async () => {
    let content: Buffer = text
    for (let times = 0; times < 5; times++) content = gzipSync(content)
    const body = bytes(content)
    expect(await decoded(body, ['gzip, gzip', 'gzip, gzip, gzip'])).toBe(body)
    expect(await decoded(body, ['gzip, gzip', 'gzip, gzip'])).toEqual(bytes(gzipSync(text)))
  })

  it('is nothing where nothing was coded', async () => {
    expect(await decoded(bytes(new Uint8Array()), ['gzip'])).toEqual(bytes(new Uint8Array()))
    expect(await decoded(bytes(gzipSync('')), ['gzip'])).toEqual(bytes(Buffer.alloc(0)))
  })
})
