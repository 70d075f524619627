import { asForm, asJson, asText, type Compared, compares, typed } from './comparing.js'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { openShop } from './shop.js'

const alike: readonly Compared[] = [
  [asJson('{"a":1,"b":[true,null]}'), 'same', asJson('{ "b" : [ true,\n null ],\t"a":1 }')],
  [asJson('{"caf\u00e9":"\\/A"}'), 'same', asJson('{"caf\\u00e9":"/\\u0041"}')],
]

/** What makes two requests the same one. */
export const fingerprints: readonly BindingGuarantee[] = [
  compares('a retry may differ in every field that says nothing of what is asked', ['21'], {}, [
    [
      {
        json: { sku: 1 },
        headers: {
          'user-agent': 'one',
          date: 'Tue, 24 Nov 2026 08:00:00 GMT',
          authorization: 'Bearer one',
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        },
      },
      'same',
      { json: { sku: 1 }, headers: { 'user-agent': 'two', 'x-retry-count': '2' } },
    ],
  ]),
  compares('the query counts as it was sent, in its order', ['21'], {}, [
    [{ path: '/orders?a=1&b=2' }, 'same', { path: '/orders?a=1&b=2' }],
    [{ path: '/orders?a=1' }, 'different', { path: '/orders?a=2' }],
    [{ path: '/orders?a=1&b=2' }, 'different', { path: '/orders?b=2&a=1' }],
    [{ path: '/orders?a=%41' }, 'different', { path: '/orders?a=A' }],
    [{ path: '/orders' }, 'different', { path: '/orders?' }],
  ]),
  compares('the media type counts', ['21'], {}, [
    [asText('1'), 'different', typed('application/octet-stream', '1')],
    [asJson('{}'), 'different', typed('application/merge-patch+json', '{}')],
  ]),
  compares('parameters and case of the media type do not count', ['21'], {}, [
    [asText('1'), 'same', typed('Text/Plain; charset=utf-8', '1')],
  ]),
  compares('no body and an empty body are the same, whatever their media type', ['21'], {}, [
    [{}, 'same', asText('')],
    [asJson(''), 'same', { headers: { 'transfer-encoding': 'chunked' }, body: '' }],
  ]),
  compares('a body counts to its last byte', ['21'], {}, [
    [asText('the quick brown fox 1'), 'same', asText('the quick brown fox 1')],
    [asText('the quick brown fox 1'), 'different', asText('the quick brown fox 2')],
    [asText('the quick brown fox'), 'different', asText('the quick brown fox ')],
  ]),
  compares(
    'fingerprint.headers names fields that count as well',
    ['21'],
    {
      options: { fingerprint: { headers: ['X-Api-Version'] } },
    },
    [
      [{ headers: { 'x-api-version': '1' } }, 'different', { headers: { 'x-api-version': '2' } }],
      [{ headers: { 'x-api-version': '1' } }, 'different', {}],
      [
        { headers: { 'x-api-version': '1', 'x-other': '1' } },
        'same',
        { headers: { 'x-api-version': '1', 'x-other': '2' } },
      ],
    ],
  ),
  compares('JSON that means the same is the same', ['22'], {}, alike),
  compares(
    'JSON that means the same is the same behind a parser',
    ['22', '25'],
    { parser: 'before' },
    alike,
  ),
  compares('JSON of different values never collides where the bytes are at hand', ['22'], {}, [
    [asJson('{"n":9007199254740993}'), 'different', asJson('{"n":9007199254740992}')],
    [asJson('{"n":1e400}'), 'different', asJson('{"n":null}')],
    [asJson('{"n":1}'), 'different', asJson('{"n":1.0}')],
    [asJson('{"n":1,"n":2}'), 'different', asJson('{"n":2}')],
    [asJson('{"__proto__":{"a":1}}'), 'different', asJson('{}')],
    [asJson('{"s":"\\ud800"}'), 'different', asJson('{"s":"\\ud801"}')],
    [asJson('{"a":["b"]}'), 'different', asJson('{"a":"b"}')],
    [asJson('{"n":"1"}'), 'different', asJson('{"n":1}')],
  ]),
  compares(
    'JSON of different values never collides behind a parser',
    ['22', '25'],
    { parser: 'before' },
    [
      [asJson('{"a":1}'), 'different', asJson('{"a":2}')],
      [asJson('{"n":-0}'), 'different', asJson('{"n":0}')],
      [asJson('{"n":1e400}'), 'different', asJson('{"n":null}')],
      [asJson('{"s":"\\ud800"}'), 'different', asJson('{"s":"\\ud801"}')],
      [asJson('{"a":["b"]}'), 'different', asJson('{"a":"b"}')],
      [asJson('{"__proto__":{"a":1}}'), 'different', asJson('{"__proto__":{"a":2}}')],
    ],
  ),
  compares(
    'with json raw, the bytes of JSON count',
    ['22'],
    {
      options: { fingerprint: { json: 'raw' } },
    },
    [
      [asJson('{"a":1}'), 'same', asJson('{"a":1}')],
      [asJson('{"a":1}'), 'different', asJson('{ "a": 1 }')],
    ],
  ),
  compares('JSON that cannot be parsed counts by its bytes', ['23'], {}, [
    [asJson('{"a":1'), 'same', asJson('{"a":1')],
    [asJson('{"a":1'), 'different', asJson('{"a":2')],
    [asJson('{"a":1'), 'different', asJson('{ "a":1')],
  ]),
  compares('a form counts by its decoded pairs, in order', ['23'], {}, [
    [asForm('a=1+2&b=%C3%A9'), 'same', asForm('a=1%202&b=\u00e9')],
    [asForm('a=1&a=2'), 'different', asForm('a=2&a=1')],
    [asForm('a=1&b=2'), 'different', asForm('b=2&a=1')],
    [asForm('a=1'), 'different', asForm('a=1&b=')],
  ]),
  compares(
    'fingerprint(request) replaces what is compared',
    ['24'],
    {
      options: { fingerprint: async (request) => request.header('x-order') ?? '' },
    },
    [
      [
        { json: { sku: 1 }, headers: { 'x-order': '1' } },
        'same',
        { json: { sku: 2 }, headers: { 'x-order': '1' } },
      ],
      [
        { json: { sku: 1 }, headers: { 'x-order': '1' } },
        'different',
        { json: { sku: 1 }, headers: { 'x-order': '2' } },
      ],
    ],
  ),
  compares(
    'with fingerprint false, the key alone counts',
    ['24'],
    { options: { fingerprint: false } },
    [[{ json: { sku: 1 } }, 'same', { json: { sku: 2 }, path: '/orders?a=1' }]],
  ),
  {
    name: 'with fingerprint false, a body of any size passes',
    points: ['24'],
    check: async (harness) => {
      const shop = await openShop(harness, { options: { fingerprint: false, maxRequestBody: 10 } })
      isFirst(await shop.send({ key: 'a', ...asText('longer than ten bytes') }))
    },
  },
  {
    name: 'JSON that is nested too deep counts by its bytes; where a parser left none, it is refused',
    points: ['23'],
    check: async (harness) => {
      const nested = (value: string) => asJson(`${'['.repeat(300)}${value}${']'.repeat(300)}`)
      for (const parser of ['none', 'before'] as const) {
        const shop = await openShop(harness, { parser })
        const first = await shop.send({ key: 'a', ...nested('1') })
        if (first.status === 413 && parser === 'before') {
          isProblem(first, 413, 'body-too-large')
          hasRun(shop, 0)
          continue
        }
        isFirst(first)
        isReplay(await shop.send({ key: 'a', ...nested('1') }), first)
        isProblem(await shop.send({ key: 'a', ...nested('2') }), 422, 'key-reused')
      }
    },
  },
  ...(['none', 'before'] as const).map((parser): BindingGuarantee => {
    const [maker, other] =
      parser === 'none'
        ? (['on the bytes', 'behind a parser'] as const)
        : (['behind a parser', 'on the bytes'] as const)
    return {
      name: `a record made ${maker} is replayed ${other}`,
      points: ['20', '22', '23'],
      check: async (harness) => {
        const one = await openShop(harness, { parser })
        const two = await openShop(harness, {
          parser: parser === 'none' ? 'before' : 'none',
          store: one.store,
        })
        for (const [key, request, changed] of [
          [
            'a',
            asJson('{"b":[1.0,{"c":null}],"a":"\\u00e9"}'),
            asJson('{"b":[1.0],"a":"\\u00e9"}'),
          ],
          ['b', asForm('b=1&b=2&a=%20'), asForm('b=2&b=1&a=%20')],
          ['c', {}, asForm('x=1')],
        ] as const) {
          const first = await one.send({ key, ...request })
          isReplay(await two.send({ key, ...request }), first)
          isProblem(await two.send({ key, ...changed }), 422, 'key-reused')
        }
      },
    }
  }),
]
