import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { decodedFor } from '../src/content-coding.js'
import type { HttpResponse } from '../src/response.js'

const text = Buffer.from('the answer, as it was made')
const encoded = (
  coding: string,
  body: Uint8Array,
  more: HttpResponse['headers'] = [],
): HttpResponse => ({
  status: 201,
  headers: [['Content-Type', 'text/plain'], ['Content-Encoding', coding], ...more],
  body,
})
const codings: Record<string, Uint8Array> = {
  gzip: gzipSync(text),
  'x-gzip': gzipSync(text),
  deflate: deflateSync(text),
  br: brotliCompressSync(text),
}

describe('an answer in a coding', () => {
  for (const [coding, body] of Object.entries(codings)) {
    it(`stays ${coding} for a client that takes it`, async () => {
      const response = encoded(coding, body)
      const name = coding.replace('x-', '')
      for (const accepted of [
        coding,
        `${name.toUpperCase()};q=0.5`,
        `identity, ${name}`,
        '*',
        `*;q=0, ${name};q=1`,
      ]) {
        expect(await decodedFor(response, [accepted]), accepted).toBe(response)
      }
      expect(await decodedFor(response, ['identity', name])).toBe(response)
    })

    it(`is decoded for a client that does not take ${coding}`, async () => {
      const name = coding.replace('x-', '')
      for (const lines of [
        [],
        [''],
        ['identity'],
        [`${name};q=0`],
        [`*, ${name};q=0.000`],
        ['zstd'],
        ['*;q=0'],
      ]) {
        expect(await decodedFor(encoded(coding, body), lines), lines.join()).toEqual({
          status: 201,
          headers: [['Content-Type', 'text/plain']],
          body: text,
        })
      }
    })
  }

  it('is decoded layer by layer, last first', async () => {
    const response = encoded('gzip, br', brotliCompressSync(gzipSync(text)))
    expect((await decodedFor(response, ['gzip']))?.body).toEqual(text)
    expect(await decodedFor(response, ['gzip, br'])).toBe(response)
  })

  it('has a weak entity tag once it is decoded', async () => {
    const strong = encoded('gzip', gzipSync(text), [['ETag', '"a"']])
    const weak = encoded('gzip', gzipSync(text), [['etag', 'W/"a"']])
    expect((await decodedFor(strong, []))?.headers).toContainEqual(['ETag', 'W/"a"'])
    expect((await decodedFor(weak, []))?.headers).toContainEqual(['etag', 'W/"a"'])
    expect(await decodedFor(strong, ['gzip'])).toBe(strong)
  })

  it('goes without the digests of its coded bytes once it is decoded', async () => {
    const digests = [
      ['Content-Digest', 'sha-256=:AAAA:'],
      ['repr-digest', 'sha-256=:AAAA:'],
      ['Content-MD5', 'AAAA'],
      ['Digest', 'SHA-256=AAAA'],
    ] as const
    const response = encoded('gzip', gzipSync(text), [...digests, ['X-Digest', 'kept']])
    expect((await decodedFor(response, []))?.headers).toEqual([
      ['Content-Type', 'text/plain'],
      ['X-Digest', 'kept'],
    ])
    expect(await decodedFor(response, ['gzip'])).toBe(response)
    const plain: HttpResponse = { status: 200, headers: digests, body: text }
    expect(await decodedFor(plain, [])).toBe(plain)
  })

  it('cannot be had where the coding is unknown or the body broken', async () => {
    expect(await decodedFor(encoded('zstd', text), [])).toBeUndefined()
    expect(await decodedFor(encoded('constructor', text), [])).toBeUndefined()
    expect(await decodedFor(encoded('gzip', text), [])).toBeUndefined()
    expect(await decodedFor(encoded('gzip', gzipSync(text).subarray(0, 20)), [])).toBeUndefined()
  })

  it('cannot be had where it unfolds without end', async () => {
    const bomb = encoded('gzip', gzipSync(Buffer.alloc(65 * 1024 * 1024)))
    expect(await decodedFor(bomb, [])).toBeUndefined()
  })

  it('without content is nothing to decode', async () => {
    const response = encoded('gzip', new Uint8Array())
    const decoded = await decodedFor(response, [])
    expect(decoded?.status).toBe(201)
    expect(decoded?.body).toHaveLength(0)
  })
})

describe('an answer without a coding', () => {
  it('stays as it is for every client', async () => {
    const plain: HttpResponse = { status: 200, headers: [], body: text }
    for (const lines of [[], ['gzip'], ['identity;q=0']])
      expect(await decodedFor(plain, lines)).toBe(plain)
    const identity = encoded('identity', text)
    expect(await decodedFor(identity, [])).toBe(identity)
  })
})
