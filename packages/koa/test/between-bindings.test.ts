import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { BindingHarness, SuiteAnswer, SuiteRoute } from '@retrysafe/conformance'
import type { IdempotencyStore } from '@retrysafe/core'
import { memoryStore } from '@retrysafe/memory'
import { redisStore } from '@retrysafe/redis'
import { sqliteStore } from '@retrysafe/sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expressHarness } from '../../express/test/express-harness.js'
import { versions as expressVersions } from '../../express/test/versions.js'
import { honoHarness } from '../../hono/test/hono-harness.js'
import { hasRedisServer, startRedis } from '../../redis/test/servers/redis-server.js'
import { koaHarness } from './koa-harness.js'
import { versions as koaVersions } from './versions.js'

const bindings: readonly (readonly [name: string, harness: () => Promise<BindingHarness>])[] = [
  ...expressVersions.map(([name, module]) => [name, () => expressHarness(module)] as const),
  ...koaVersions.map(([name, module]) => [name, () => koaHarness(module)] as const),
  ['Hono', honoHarness],
]
const parsers = ['none', 'before'] as const

/** Requests as clients send them; `again` is the same one as another client, or the same after an update, would. */
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const json = { 'content-type': 'application/json' }
const document = '{"b":[1.0,{"c":null}],"a":"\\u00e9","big":9007199254740993}'
const requests: readonly (readonly [
  name: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
  again: string | Buffer,
  other: string | Buffer,
])[] = [
  [
    'JSON',
    json,
    document,
    ' { "a": "é", "big": 9007199254740993, "b": [1.0, {"c": null}] }',
    document.replace('null', '0'),
  ],
  ['a form', form, 'a=1&b=%20&a=2', 'a=1&b=+&a=2', 'a=1&b=+&a=3'],
  ['bytes', { 'content-type': 'application/x-stock' }, everyByte(), everyByte(), everyByte(1)],
  [
    // Of the parsers, Express's alone unpack.
    'packed JSON',
    { ...json, 'content-encoding': 'gzip' },
    gzipSync(document),
    gzipSync(` ${document}`, { level: 1 }),
    gzipSync(document.replace('null', '0')),
  ],
]

const answers: readonly SuiteAnswer[] = [
  { kind: 'json', status: 201, value: { order: 'ö', lines: [1, 2] } },
  whole(200, everyByte(), [['Content-Type', 'application/x-stock']]),
  whole(204, '', []),
  whole(303, '', [['Location', '/orders/1']]),
  whole(402, 'The card was refused.', [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Link', '<https://a.example/?a,b>; rel="next"'],
    ['X-Attempt', '1'],
  ]),
]

function everyByte(first = 0): Buffer {
  return Buffer.from(Uint8Array.from({ length: 256 }, (_, at) => at + first))
}
function whole(status: number, text: string | Buffer, headers: [string, string][]): SuiteAnswer {
  return { kind: 'whole', status, headers, body: Buffer.from(text) }
}

const redis = hasRedisServer ? await startRedis() : undefined
afterAll(() => redis?.stop())

const stores: readonly (readonly [name: string, open: (folder: string) => IdempotencyStore])[] = [
  ['the memory store', () => memoryStore()],
  ['SQLite', (folder) => sqliteStore(join(folder, 'records.db'))],
  ...(redis ? [['Redis', () => redisStore({ url: redis.url })] as const] : []),
]

describe.each(stores)('on %s', (_store, open) => {
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-between-'))
  const harnesses: BindingHarness[] = []
  const served: { readonly name: string; readonly port: number }[] = []
  let store: IdempotencyStore
  let runs = 0

  const route = (parser: SuiteRoute['parser']): SuiteRoute => ({
    method: 'POST',
    path: '/orders',
    parser,
    layers: [{ store, scope: ({ header }) => header('x-tenant') }],
    handler: async ({ header }) => {
      runs++
      return answers[Number(header('x-answer'))] as SuiteAnswer
    },
  })

  beforeAll(async () => {
    store = open(folder)
    for (const [name, create] of bindings) {
      const harness = await create()
      harnesses.push(harness)
      for (const parser of parsers) {
        const { port } = await harness.serve({ routes: [route(parser)] })
        served.push({ name: `${name}, parser ${parser}`, port })
      }
    }
  })
  afterAll(async () => {
    for (const harness of harnesses) await harness.close()
    await store.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  })

  const send = async (
    port: number,
    headers: Readonly<Record<string, string>>,
    body: string | Buffer,
  ) => {
    const content = body as string | Buffer<ArrayBuffer>
    const init = { method: 'POST', headers, body: content, redirect: 'manual' } as const
    const response = await fetch(`http://127.0.0.1:${port}/orders`, init)
    const fields = [...response.headers].filter(([name]) => !hopByHop.has(name))
    return {
      status: response.status,
      replayed: response.headers.get('idempotent-replayed'),
      fields: new Map(fields),
      bytes: Buffer.from(await response.arrayBuffer()).toString('latin1'),
    }
  }

  it.each(requests)(
    'a record of %s that one binding made is replayed by every other',
    async (kind, fields, body, again, other) => {
      const those = kind === 'packed JSON' ? served.filter(unpacks) : served
      for (const [at, maker] of those.entries()) {
        for (const [nth, replayer] of those.entries()) {
          const what = `${kind}: made by ${maker.name}, replayed by ${replayer.name}`
          const headers = {
            ...fields,
            'idempotency-key': `"${kind} ${at} ${nth}"`,
            'x-tenant': 'one',
            'x-answer': String((at + nth) % answers.length),
          }
          const before = runs
          const first = await send(maker.port, headers, body)
          expect(first.replayed, what).toBe(null)
          const replay = await send(replayer.port, headers, again)
          expect(replay, what).toMatchObject({
            status: first.status,
            bytes: first.bytes,
            replayed: 'true',
          })
          for (const name of ['location', 'content-type', 'link', 'x-attempt'])
            expect(replay.fields.get(name), `${what}: ${name}`).toBe(first.fields.get(name))
          expect((await send(replayer.port, headers, other)).status, what).toBe(422)
          expect(runs - before, what).toBe(1)
        }
      }
    },
  )
})

const unpacks = ({ name }: { readonly name: string }): boolean =>
  name.startsWith('Express') || name.endsWith('parser none')

const hopByHop = new Set(['connection', 'keep-alive', 'date', 'transfer-encoding'])
