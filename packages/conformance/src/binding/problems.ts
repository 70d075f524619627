import assert from 'node:assert/strict'
import { type ProblemCode, problemStatus, StoreError } from '@retrysafe/core'
import type { ClientAnswer } from './client.js'
import { hasRun, isFirst, isReplay, stateOf } from './expecting.js'
import type { BindingGuarantee, BindingHarness, SuiteOptions } from './harness.js'
import { json, openShop, whole } from './shop.js'
import { down } from './suite-store.js'
import { gate, until } from './waiting.js'

const key = 'key-of-a-client'
const secret = 'body-of-a-client'
const request = { key, body: secret, headers: { 'content-type': 'text/plain' } }

/** Every answer of the layer's own, each provoked in a shop of its own. */
const everyProblem = async (
  harness: BindingHarness,
  options: Partial<SuiteOptions> = {},
): Promise<ReadonlyMap<ProblemCode, ClientAnswer>> => {
  const answers = new Map<ProblemCode, ClientAnswer>()
  const shop = await openShop(harness, {
    options: { ...options, maxRequestBody: 100, maxStoredBody: 10 },
    handler: () => whole(201, 'x'.repeat(20)),
  })
  answers.set('key-invalid', await shop.send({ ...request, key: `${key},` }))
  answers.set('body-too-large', await shop.send({ ...request, body: secret.repeat(9) }))
  await shop.send(request)
  answers.set('response-not-stored', await shop.send(request))
  answers.set('key-reused', await shop.send({ ...request, body: 'other' }))
  shop.store.faults.acquire = down
  answers.set('store-unavailable', await shop.send(request))
  shop.store.faults.acquire = async () => {
    throw new StoreError('store-full', 'no room')
  }
  answers.set('store-full', await shop.send(request))

  const strict = await openShop(harness, {
    options: { ...options, required: true, scope: () => '' },
  })
  answers.set('key-missing', await strict.send({ body: secret }))
  answers.set('scope-missing', await strict.send(request))

  const doubtful = await openShop(harness, {
    options: { ...options, onDoubt: 'reject' },
    handler: () => json(500, {}),
  })
  await doubtful.send(request)
  answers.set('outcome-unknown', await doubtful.send(request))

  const late = await openShop(harness, { options, parser: 'swallowed' })
  answers.set('body-consumed', await late.send(request))

  const work = gate()
  const slow = await openShop(harness, {
    options,
    handler: async () => {
      await work.opened
      return json(201, {})
    },
  })
  const first = slow.converse(request)
  await until('the handler runs', () => slow.runs.length === 1)
  answers.set('request-in-flight', await slow.send(request))
  work.open()
  await first.answer()
  return answers
}

/** The layer's own answers. */
export const problems: readonly BindingGuarantee[] = [
  {
    name: 'each problem has its code, status, type, title and detail',
    points: ['41', '42'],
    check: async (harness) => {
      const answers = await everyProblem(harness)
      assert.deepEqual([...answers.keys()].sort(), Object.keys(problemStatus).sort())
      for (const [code, answer] of answers) {
        assert.equal(answer.status, problemStatus[code], code)
        assert.equal(answer.header('Content-Type'), 'application/problem+json')
        assert.equal(answer.header('Content-Length'), String(answer.body.length))
        assert.equal(answer.header('Link'), undefined)
        const { type, title, status, detail, code: told, ...more } = answer.json()
        assert.deepEqual([told, status, more], [code, answer.status, {}])
        assert(typeof type === 'string' && URL.canParse(type) && type.endsWith(code), code)
        assert(typeof title === 'string' && title !== '', code)
        assert(typeof detail === 'string' && detail !== '', code)
      }
    },
  },
  {
    name: 'no problem may be kept by a cache',
    points: ['41'],
    check: async (harness) => {
      for (const [code, answer] of await everyProblem(harness))
        assert.equal(answer.header('Cache-Control'), 'no-store', code)
    },
  },
  {
    name: 'the titles of the draft are word for word its own',
    points: ['41'],
    check: async (harness) => {
      const answers = await everyProblem(harness)
      for (const [code, title] of [
        ['key-missing', 'Idempotency-Key is missing'],
        ['key-reused', 'Idempotency-Key is already used'],
        ['request-in-flight', 'A request is outstanding for this Idempotency-Key'],
      ] as const)
        assert.equal(answers.get(code)?.json().title, title)
    },
  },
  {
    name: 'Retry-After goes with what asking again helps, and with nothing else',
    points: ['18', '36', '41'],
    check: async (harness) => {
      for (const [code, answer] of await everyProblem(harness)) {
        const isRetried = ['request-in-flight', 'store-unavailable', 'store-full'].includes(code)
        assert.equal(answer.header('Retry-After'), isRetried ? '1' : undefined, code)
      }
    },
  },
  {
    name: 'a problem links to the documentation where docsUrl says so',
    points: ['41'],
    check: async (harness) => {
      const docsUrl = 'https://shop.example/docs/retries'
      for (const [code, answer] of await everyProblem(harness, { docsUrl }))
        assert.equal(answer.header('Link'), `<${docsUrl}>; rel="describedby"`, code)
    },
  },
  {
    name: 'no problem sends back a key, a body or a fingerprint',
    points: ['41'],
    check: async (harness) => {
      for (const [code, answer] of await everyProblem(harness)) {
        const all = `${answer.text()}${JSON.stringify(answer.headers)}`
        for (const told of [key, secret, 'bytes=', 'xxxxx'])
          assert(!all.includes(told), `${code} tells ${told}`)
      }
    },
  },
  {
    name: 'problemBase says what types begin with, and problem replaces the body',
    points: ['41'],
    check: async (harness) => {
      const problemBase = 'https://shop.example/problems/'
      const answers = await everyProblem(harness, {
        problemBase,
        problem: ({ type, code }) => ({ error: { type, code } }),
      })
      for (const [code, answer] of answers)
        assert.deepEqual(answer.json(), { error: { type: `${problemBase}${code}`, code } })
    },
  },
  {
    name: 'status remaps a mismatch and a duplicate in flight, and nothing else',
    points: ['42'],
    check: async (harness) => {
      const answers = await everyProblem(harness, { status: { mismatch: 400, inFlight: 425 } })
      const remapped: Record<string, number> = { 'key-reused': 400, 'request-in-flight': 425 }
      for (const [code, answer] of answers) {
        const status = remapped[code] ?? problemStatus[code]
        assert.deepEqual([answer.status, answer.json().status], [status, status], code)
      }
    },
  },
  {
    name: 'answers of the layer are never recorded as those of the key',
    points: ['44'],
    check: async (harness) => {
      const work = gate()
      const shop = await openShop(harness, {
        handler: async () => {
          await work.opened
          return json(201, {})
        },
      })
      const conversation = shop.converse({ key: 'a' })
      await until('the handler runs', () => shop.runs.length === 1)
      for (const [asked, status] of [
        [{ key: 'a' }, 409],
        [{ key: 'a', body: 'x' }, 422],
        [{ key: 'a', path: '/orders?a=1' }, 422],
        [{ key: ['a', 'a'] }, 400],
      ] as const) {
        assert.equal((await shop.send(asked)).status, status)
        assert.equal(stateOf(shop), 'in_flight')
      }
      work.open()
      const first = await conversation.answer()
      isFirst(first)
      isReplay(await shop.send({ key: 'a' }), first)
      hasRun(shop, 1)
      assert.equal(shop.store.calls('complete'), 1)
    },
  },
]
