import assert from 'node:assert/strict'
import type { FingerprintOptions } from '@retrysafe/core'
import { asForm, asJson, type Compared, compares } from './comparing.js'
import { hasRun, isFirst, isProblem, isReplay } from './expecting.js'
import type { BindingGuarantee } from './harness.js'
import { json, openShop } from './shop.js'

const exclude = ['sentAt', '/meta/attempt', '/lines/0']
const leavingOut = { options: { fingerprint: { exclude } } }

const leftOut: readonly Compared[] = [
  [asJson('{"sku":1,"sentAt":1}'), 'same', asJson('{"sentAt":[2],"sku":1}')],
  [asJson('{"sku":1,"sentAt":1}'), 'same', asJson('{"sku":1}')],
  [asJson('{"sku":1,"\\u0073entAt":1}'), 'same', asJson('{"sku":1}')],
  [asJson('{"meta":{"attempt":1,"by":"a"}}'), 'same', asJson('{"meta":{"by":"a"}}')],
  [asJson('{"lines":[1,2]}'), 'same', asJson('{"lines":[3,2]}')],
  [asJson('{"sku":1,"sentAt":1}'), 'different', asJson('{"sku":2,"sentAt":1}')],
  [asJson('{"attempt":1}'), 'different', asJson('{"attempt":2}')],
  [asJson('{"meta":{"sentAt":1}}'), 'different', asJson('{"meta":{"sentAt":2}}')],
  [asJson('{"lines":[1,2]}'), 'different', asJson('{"lines":[1,3]}')],
  [asForm('sku=1&sentAt=1'), 'same', asForm('sentAt=2&sku=1&sentAt=3')],
  [asForm('sku=1&sentAt=1'), 'different', asForm('sku=2&sentAt=1')],
]

const secret = 'thirty-two characters, no longer'
const another = 'thirty-two characters, no shorter'

/** What the one record of a store is compared by, but for the id of its settings. */
const digestsOf = (records: ReadonlyMap<string, { readonly fingerprint: string }>): string =>
  [...records.values()][0]?.fingerprint.replace(/^[^:]*:/, '') ?? ''

/** What an application says of how requests are compared. */
export const fingerprintSettings: readonly BindingGuarantee[] = [
  compares('fingerprint.exclude leaves members out', ['24'], leavingOut, leftOut),
  compares(
    'fingerprint.exclude leaves members out behind a parser',
    ['22', '24'],
    { ...leavingOut, parser: 'before' },
    leftOut,
  ),
  {
    name: 'with fingerprint.exclude, records are replayed on the bytes and behind a parser',
    points: ['22', '24'],
    check: async (harness) => {
      const bytes = await openShop(harness, leavingOut)
      const parsed = await openShop(harness, {
        ...leavingOut,
        parser: 'before',
        store: bytes.store,
      })
      for (const [key, one, two] of [
        ['a', bytes, parsed],
        ['b', parsed, bytes],
      ] as const) {
        const first = await one.send({ key, ...asJson('{"sku":1.0,"sentAt":1}') })
        isFirst(first)
        isReplay(await two.send({ key, ...asJson('{"sentAt":2,"sku":1.0}') }), first)
        isProblem(await two.send({ key, ...asJson('{"sku":2,"sentAt":1}') }), 422, 'key-reused')
      }
    },
  },
  {
    name: 'with fingerprint.secret, a record says nothing to who has another secret, or none',
    points: ['24', '37'],
    check: async (harness) => {
      const open = (fingerprint: FingerprintOptions, store?: typeof plain.store) =>
        openShop(harness, { options: { fingerprint }, ...(store && { store }) })
      const plain = await openShop(harness)
      const shop = await open({ secret })
      const request = { key: 'a', json: { pin: '4711' } }
      await plain.send(request)
      const first = await shop.send(request)
      isFirst(first)
      for (const digest of digestsOf(plain.store.records).split(','))
        assert(!digestsOf(shop.store.records).includes(digest), 'a hash that anybody can compute')
      isReplay(await (await open({ secret: Buffer.from(secret) }, shop.store)).send(request), first)
      isProblem(await shop.send({ ...request, json: { pin: '4712' } }), 422, 'key-reused')
      for (const fingerprint of [{ secret: another }, {}]) {
        const stranger = await open(fingerprint, shop.store)
        isProblem(await stranger.send(request), 503, 'store-unavailable')
        hasRun(stranger, 0)
      }
    },
  },
  {
    name: 'fingerprint.previous compares what was recorded under earlier settings',
    points: ['24'],
    check: async (harness) => {
      for (const before of [{}, { secret }, { exclude: ['sentAt'] }]) {
        let status = 201
        const handler = () => json(status, { status })
        const then = await openShop(harness, { options: { fingerprint: before }, handler })
        const now = await openShop(harness, {
          options: { fingerprint: { secret: another, previous: [{ json: 'raw' }, before] } },
          store: then.store,
          handler,
        })
        const request = { json: { sku: 1 } }
        const changed = { json: { sku: 2 } }
        const first = await then.send({ key: 'kept', ...request })
        isFirst(first)
        isReplay(await now.send({ key: 'kept', ...request }), first)
        isProblem(await now.send({ key: 'kept', ...changed }), 422, 'key-reused')
        status = 500
        isFirst(await then.send({ key: 'failed', ...request }), 500)
        status = 201
        isProblem(await now.send({ key: 'failed', ...changed }), 422, 'key-reused')
        const second = await now.send({ key: 'failed', ...request })
        isFirst(second)
        assert.equal(now.runs[0]?.attempt, 2)
        isReplay(await now.send({ key: 'failed', ...request }), second)
      }
    },
  },
  {
    name: 'a wrong setting of the fingerprint is an error at construction, which shows no secret',
    points: ['24', '45'],
    check: async (harness) => {
      for (const wrong of [
        { secret: 'hush' },
        { secret, exclude: [''] },
        { exclude: ['/~'] },
        { json: 'raw', exclude: ['sentAt'] },
        { secret, previous: [false] },
        { previous: [{ secret: 'hush' }] },
      ])
        await assert.rejects(
          openShop(harness, { options: { fingerprint: wrong as FingerprintOptions } }),
          ({ code, message }: Error & { code: string }) =>
            code === 'option-invalid' &&
            message.includes('"fingerprint"') &&
            !message.includes('hush') &&
            !message.includes(secret),
        )
    },
  },
]
