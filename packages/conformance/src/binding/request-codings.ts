import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { ClientRequest } from './client.js'
import { asForm, asJson, compares, typed } from './comparing.js'
import { hasRun, isFirst, isProblem } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { openShop } from './shop.js'

const text = '{"sku":"A-100","delta":-5}'
const other = '{"sku":"A-100","delta":-6}'

const coded = (coding: string, body: Uint8Array, type = 'application/json'): ClientRequest =>
  typed(type, body, { 'content-encoding': coding })

/** A form of one field, as a client with this boundary writes it. */
const multipart = (boundary: string, value: string, quote = ''): ClientRequest =>
  typed(
    `multipart/form-data; boundary=${quote}${boundary}${quote}`,
    `--${boundary}\r\nContent-Disposition: form-data; name="note"\r\n\r\n${value}\r\n--${boundary}--\r\n`,
  )

/** What a client wraps a body in says nothing of what is asked. */
export const requestCodings: readonly BindingGuarantee[] = [
  compares('a multipart body is the same under another boundary', ['23'], {}, [
    [multipart('one', 'a'), 'same', multipart('----two', 'a')],
    [multipart('one', 'a'), 'same', multipart('two words', 'a', '"')],
    [multipart('one', 'a'), 'different', multipart('one', 'b')],
    [multipart('one', 'one'), 'different', multipart('two', 'two')],
    [multipart('one', 'a\r\n--one!'), 'different', multipart('two', 'a\r\n--two!')],
  ]),
  compares('a body in a content coding is the body that was sent plain', ['23'], {}, [
    [asJson(text), 'same', coded('gzip', gzipSync(` ${text}`))],
    [coded('gzip', gzipSync(text)), 'same', coded('gzip', gzipSync(text, { level: 0 }))],
    [coded('deflate', deflateSync(text)), 'same', coded('BR', brotliCompressSync(text))],
    [asJson(text), 'same', coded('gzip, br', brotliCompressSync(gzipSync(text)))],
    [asJson(text), 'different', coded('gzip', gzipSync(other))],
    [asForm('a=%20'), 'same', coded('gzip', gzipSync('a=+'), 'application/x-www-form-urlencoded')],
  ]),
  {
    name: 'a coded body that unfolds to more than maxRequestBody is refused',
    points: ['23'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { maxRequestBody: 1_000 } })
      for (const [coding, code] of [
        ['gzip', gzipSync],
        ['deflate', deflateSync],
        ['br', brotliCompressSync],
      ] as const) {
        const bomb = typed('text/plain', code('a'.repeat(1_001)), { 'content-encoding': coding })
        isProblem(await shop.send({ key: 'a', ...bomb }), 413, 'body-too-large')
      }
      hasRun(shop, 0)
      isFirst(await shop.send({ key: 'a', ...coded('gzip', gzipSync('a'.repeat(1_000))) }))
    },
  },
  compares(
    'a body in an unknown coding, or one that cannot be decoded, counts by its bytes',
    ['23'],
    {},
    [
      [coded('x-own', Buffer.from('a')), 'same', coded('x-own', Buffer.from('a'))],
      [coded('x-own', Buffer.from('a')), 'different', coded('x-own', Buffer.from('b'))],
      [coded('gzip, x-own', gzipSync(text)), 'different', coded('gzip', gzipSync(text))],
      [coded('gzip', Buffer.from('{"a":1')), 'same', coded('gzip', Buffer.from('{"a":1'))],
      [coded('gzip', Buffer.from('{"a":1')), 'different', coded('gzip', Buffer.from('{"a":2'))],
      [
        coded('gzip', gzipSync(text).subarray(0, 20)),
        'different',
        coded('gzip', gzipSync(text).subarray(0, 21)),
      ],
    ],
  ),
]
