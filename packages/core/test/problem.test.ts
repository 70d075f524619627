import { describe, expect, it } from 'vitest'
import { type ProblemCode, problemStatus } from '../src/errors.js'
import { type Problem, problemResponse, problemSettings } from '../src/problem.js'

const settings = (options: Partial<Parameters<typeof problemSettings>[0]> = {}) =>
  problemSettings({ problemBase: 'https://shop.example/errors/', status: {}, ...options })

const bodyOf = (response: { body: Uint8Array }): unknown =>
  JSON.parse(Buffer.from(response.body).toString())

const codes = Object.keys(problemStatus) as ProblemCode[]
const drafts: Partial<Record<ProblemCode, string>> = {
  'key-missing': 'Idempotency-Key is missing',
  'key-reused': 'Idempotency-Key is already used',
  'request-in-flight': 'A request is outstanding for this Idempotency-Key',
}
const statuses: Record<ProblemCode, number> = {
  'key-missing': 400,
  'key-invalid': 400,
  'key-reused': 422,
  'request-in-flight': 409,
  'outcome-unknown': 409,
  'response-not-stored': 409,
  'body-too-large': 413,
  'body-consumed': 500,
  'scope-missing': 500,
  'store-unavailable': 503,
  'store-full': 503,
}

describe('a problem', () => {
  it.each(codes)('%s has the five members, its status, and no-store', (code) => {
    const response = problemResponse(code, settings())
    expect(response.status).toBe(statuses[code])
    expect(response.headers).toContainEqual(['Content-Type', 'application/problem+json'])
    expect(response.headers).toContainEqual(['Cache-Control', 'no-store'])
    expect(bodyOf(response)).toEqual({
      type: `https://shop.example/errors/${code}`,
      title: drafts[code] ?? expect.stringMatching(/./),
      status: statuses[code],
      detail: expect.stringMatching(/./),
      code,
    })
  })

  it('has a title of its own for every code', () => {
    const titles = codes.map((code) => (bodyOf(problemResponse(code, settings())) as Problem).title)
    expect(new Set(titles).size).toBe(codes.length)
  })

  it.each(codes)('%s says when to ask again only where that helps', (code) => {
    const names = problemResponse(code, settings(), { retryAfterMs: 1_500 }).headers
    const retryAfter = names.find(([name]) => name === 'Retry-After')?.[1]
    const helps = ['request-in-flight', 'store-unavailable', 'store-full'].includes(code)
    expect(retryAfter).toBe(helps ? '2' : undefined)
  })

  it('says when to ask again in whole seconds, at least one', () => {
    for (const [ms, seconds] of [
      [1, '1'],
      [999, '1'],
      [1_000, '1'],
      [1_001, '2'],
      [undefined, '1'],
    ] as const) {
      const extra = ms === undefined ? {} : { retryAfterMs: ms }
      expect(problemResponse('store-full', settings(), extra).headers).toContainEqual([
        'Retry-After',
        seconds,
      ])
    }
  })

  it('links to the documentation where there is one', () => {
    const linked = problemResponse(
      'key-missing',
      settings({ docsUrl: 'https://shop.example/docs' }),
    )
    expect(linked.headers).toContainEqual([
      'Link',
      '<https://shop.example/docs>; rel="describedby"',
    ])
    expect(problemResponse('key-missing', settings()).headers.map(([name]) => name)).not.toContain(
      'Link',
    )
  })

  it('bears another status for a mismatch and for what is in flight, in its body too', () => {
    const remapped = settings({ status: { mismatch: 409, inFlight: 425 } })
    for (const [code, status] of [
      ['key-reused', 409],
      ['request-in-flight', 425],
      ['outcome-unknown', 409],
    ] as const) {
      const response = problemResponse(code, remapped)
      expect(response.status).toBe(status)
      expect(bodyOf(response)).toMatchObject({ status })
    }
  })

  it('tells where the first answer made something', () => {
    const response = problemResponse('response-not-stored', settings(), { location: '/orders/1' })
    expect(response.headers).toContainEqual(['Location', '/orders/1'])
  })
})

describe('a problem with a body of the user', () => {
  it('keeps its head and shows that body', () => {
    const problem = ({ code, status }: Problem) => ({ error: code, status })
    const response = problemResponse('key-missing', settings({ problem }))
    expect(bodyOf(response)).toEqual({ error: 'key-missing', status: 400 })
    expect(response.status).toBe(400)
    expect(response.headers).toContainEqual(['Cache-Control', 'no-store'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('a mistake')
      },
    ],
    ['answers what is no JSON', () => ({ big: 1n })],
    ['answers a function', () => () => 1],
    ['answers nothing', () => undefined],
    ['answers later', async () => ({ later: true })],
  ])('is the plain one where its function %s', (_, problem) => {
    expect(bodyOf(problemResponse('key-missing', settings({ problem })))).toMatchObject({
      code: 'key-missing',
    })
  })
})
