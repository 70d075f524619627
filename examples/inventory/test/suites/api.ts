import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Choice } from '../../demo/targets.mjs'
import { type Answer, adjust, adjustments, get, hangUp, onHand, send, sendBody } from '../client.js'
import { describeOn, newDatabase, serve, serveAll, titleOf } from '../inventory.js'

interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
}

const invalidAdjustment: Problem = {
  type: 'https://inventory.example/problems/invalid-adjustment',
  title: 'Not an adjustment',
  status: 400,
  detail: 'Send { "sku": text, "delta": whole number }.',
}

const unknownSku: Problem = {
  type: 'https://inventory.example/problems/unknown-sku',
  title: 'Unknown SKU',
  status: 404,
  detail: 'There is no Z-999.',
}

const expectProblem = ({ status, headers, text }: Answer, problem: Problem) => {
  expect(status).toBe(problem.status)
  expect(headers['content-type']).toMatch(/^application\/problem\+json\b/)
  expect(text).toBe(JSON.stringify(problem))
}

/** The whole API, as every framework and every store must give it. */
export const describeApi = (choice: Choice): void => {
  describeOn(choice, `The inventory API ${titleOf(choice)}`, () => {
    const shared = serveAll(choice)
    /** The server that all share, a key that nobody else uses, and what is there before. */
    const begin = async () => {
      const { url } = shared()
      const made = await adjustments(url)
      const [a100, b200] = await Promise.all(['A-100', 'B-200'].map((sku) => onHand(url, sku)))
      return { url, key: randomUUID(), made, a100: a100 as number, b200: b200 as number }
    }

    // First: nobody has adjusted anything yet.
    test('says in one line where it listens, and begins with the initial stock', async () => {
      const { url, log, port } = shared()
      expect(log).toEqual([`Inventory listens on http://localhost:${port}`])
      expect(await get(url, '/stock/A-100')).toEqual({ sku: 'A-100', onHand: 100 })
      expect(await get(url, '/stock/B-200')).toEqual({ sku: 'B-200', onHand: 50 })
      expect(await get(url, '/stock/C-300')).toEqual({ sku: 'C-300', onHand: 1_000_000 })
      expect(await adjustments(url)).toEqual([])
      expectProblem(await send(`${url}/stock/Z-999`), unknownSku)
      expectProblem(await send(`${url}/adjustments/7`), {
        type: 'https://inventory.example/problems/unknown-adjustment',
        title: 'Unknown adjustment',
        status: 404,
        detail: 'There is no adjustment 7.',
      })
    })

    test('makes an adjustment, and answers a repetition with the same bytes', async () => {
      const { url, key, made, a100 } = await begin()
      const first = await adjust(url, key, { sku: 'A-100', delta: -5 })
      expect(first).toMatchObject({ status: 201, replayed: false })
      const id = made.length + 1
      expect(first.text).toBe(JSON.stringify({ id, sku: 'A-100', delta: -5, onHand: a100 - 5 }))
      expect(first.headers.location).toBe(`/adjustments/${id}`)
      expect(await get(url, `/adjustments/${id}`)).toEqual(JSON.parse(first.text))

      const second = await adjust(url, `"${key}"`, { delta: -5, sku: 'A-100' })
      expect(second).toMatchObject({ status: 201, replayed: true, text: first.text })
      expect(second.headers.location).toBe(first.headers.location)
      expect(await onHand(url, 'A-100')).toBe(a100 - 5)
    })

    test('lists the adjustments of all suppliers, oldest first; the key of one is not that of another', async () => {
      const { url, key, made, a100, b200 } = await begin()
      await adjust(url, key, { sku: 'B-200', delta: 3 }, 'south')
      await adjust(url, key, { sku: 'A-100', delta: -2 }, 'north')
      expect(await adjustments(url)).toEqual([
        ...made,
        { id: made.length + 1, sku: 'B-200', delta: 3, onHand: b200 + 3 },
        { id: made.length + 2, sku: 'A-100', delta: -2, onHand: a100 - 2 },
      ])
    })

    test('answers 404 for an unknown article, and again', async () => {
      const { url, key } = await begin()
      const first = await adjust(url, key, { sku: 'Z-999', delta: -1 })
      expect(first.replayed).toBe(false)
      expectProblem(first, unknownSku)
      const second = await adjust(url, key, { sku: 'Z-999', delta: -1 })
      expect(second).toMatchObject({ status: 404, replayed: true, text: first.text })
    })

    test('refuses with a problem of its own what would go below zero, and again when there is enough', async () => {
      const { url, key, b200 } = await begin()
      const delta = -b200 - 1
      const first = await adjust(url, key, { sku: 'B-200', delta })
      expect(first.replayed).toBe(false)
      expectProblem(first, {
        type: 'https://inventory.example/problems/stock-below-zero',
        title: 'Stock would fall below zero',
        status: 422,
        detail: `B-200 has ${b200} on hand, too few for ${delta}.`,
      })
      await adjust(url, `${key}-more`, { sku: 'B-200', delta: 100 })
      const second = await adjust(url, key, { sku: 'B-200', delta })
      expect(second).toMatchObject({ status: 422, replayed: true, text: first.text })
      expect(await onHand(url, 'B-200')).toBe(b200 + 100)
    })

    test('may take the last one, and not one more', async () => {
      const { url, key, b200 } = await begin()
      expect((await adjust(url, key, { sku: 'B-200', delta: -b200 })).status).toBe(201)
      expect((await adjust(url, `${key}-1`, { sku: 'B-200', delta: -1 })).status).toBe(422)
      expect(await onHand(url, 'B-200')).toBe(0)
    })

    test('refuses a key that comes with another adjustment', async () => {
      const { url, key, a100 } = await begin()
      await adjust(url, key, { sku: 'A-100', delta: -5 })
      const other = await adjust(url, key, { sku: 'A-100', delta: -50 })
      expect(other.status).toBe(422)
      expect(JSON.parse(other.text)).toMatchObject({ code: 'key-reused' })
      expect(await onHand(url, 'A-100')).toBe(a100 - 5)
    })

    test('wants a key and a supplier; who is refused for that leaves no trace', async () => {
      const { url, key, made } = await begin()
      const adjustment = { sku: 'A-100', delta: -5 }
      const keyless = await adjust(url, undefined, adjustment)
      expect(keyless.status).toBe(400)
      expect(JSON.parse(keyless.text)).toMatchObject({ code: 'key-missing' })

      const nobody = await adjust(url, key, adjustment, '')
      expect(nobody.headers['www-authenticate']).toBe('Bearer')
      expectProblem(nobody, {
        type: 'https://inventory.example/problems/unauthenticated',
        title: 'Unknown supplier',
        status: 401,
        detail: 'Send the bearer token of a supplier.',
      })
      const empty = await adjust(url, key, adjustment, ' ')
      expect(empty.status).toBe(401)
      expect(await adjustments(url)).toEqual(made)
      expect(await adjust(url, key, adjustment)).toMatchObject({ status: 201, replayed: false })
    })

    test('answers 400 to what is no adjustment', async () => {
      const { url, key, made } = await begin()
      const bodies = [
        undefined,
        { sku: 'A-100' },
        { sku: 100, delta: -5 },
        { sku: 'A-100', delta: '-5' },
        { sku: 'A-100', delta: -0.5 },
        { sku: 'A-100', delta: 2 ** 53 },
      ]
      for (const [index, body] of bodies.entries())
        expectProblem(await adjust(url, `${key}-${index}`, body), invalidAdjustment)
      expect(await adjustments(url)).toEqual(made)
    })

    test('answers 400 to what is no JSON, and its key is free for a better attempt', async () => {
      const { url, key } = await begin()
      const broken = await sendBody(url, key, '{ "sku": "A-1', 'application/json')
      expectProblem(broken, invalidAdjustment)
      const adjustment = { sku: 'A-100', delta: -5 }
      const text = await sendBody(url, `${key}-text`, JSON.stringify(adjustment), 'text/plain')
      expectProblem(text, invalidAdjustment)
      expect(await adjust(url, key, adjustment)).toMatchObject({ status: 201, replayed: false })
    })

    // Most of what these two take is the start of a server each.
    test.concurrent('keeps stock and answers over a restart', async ({ onTestFinished }) => {
      const database = newDatabase(onTestFinished)
      const before = await serve({ ...choice, database }, onTestFinished)
      const first = await adjust(before.url, 'k', { sku: 'A-100', delta: -5 })
      expect(await before.stop()).toBe(0)

      const { url } = await serve({ ...choice, database }, onTestFinished)
      const second = await adjust(url, 'k', { sku: 'A-100', delta: -5 })
      // Where the keys are forgotten, the answer is made of the adjustment that is found.
      const replayed = choice.store !== 'memory'
      expect(second).toMatchObject({ status: 201, replayed, text: first.text })
      expect(second.headers.location).toBe(first.headers.location)
      expect(await onHand(url, 'A-100')).toBe(95)
    })

    test.concurrent('answers what has come in when it is asked to end', async ({
      onTestFinished,
    }) => {
      const { url, stop } = await serve({ ...choice, workMs: 1_000 }, onTestFinished)
      const both = [1, 2].map(() => adjust(url, 'k', { sku: 'A-100', delta: -5 }))
      // One is refused while the other is at work.
      expect((await Promise.race(both)).status).toBe(409)
      const ended = stop()
      expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([201, 409])
      hangUp(url)
      expect(await ended).toBe(0)
    })
  })
}
