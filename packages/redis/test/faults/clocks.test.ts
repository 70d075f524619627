import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasRedisServer, type RedisServer, startRedis } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import { useProgram } from './compiled.js'
import { effectsFile, type Later } from './scene.js'
import { startShopProcess } from './shop-process.js'

const hourMs = 3_600_000
const leaseMs = 1_000
const retentionMs = 500

const routes = {
  '/orders': {},
  '/held': {},
  '/held/briefly': { leaseMs },
  '/kept/briefly': { retentionMs },
}

/** The time of the server, in milliseconds. */
const timeOf = async (server: RedisServer): Promise<number> => {
  const [seconds, micros] = (await server.ask('TIME')) as [string, string]
  return Number(seconds) * 1_000 + Number(micros) / 1_000
}

describe.skipIf(!hasRedisServer)('two processes whose clocks are an hour apart', () => {
  const program = useProgram('shop-process')
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  /** Two processes, and one's keys: those of other tests on the server are others. */
  const scene = async (later: Later, offByMs: number) => {
    const effects = effectsFile(later)
    const prefix = `${offByMs} ${Math.random()} `
    const terms = { redis: { url: redis.url, prefix }, effects: effects.file, routes }
    const [right, wrong] = await Promise.all([
      startShopProcess(later, program(), terms),
      startShopProcess(later, program(), terms, offByMs),
    ])
    expect(Math.abs(wrong.startedAt - right.startedAt - offByMs)).toBeLessThan(hourMs / 2)
    return { effects, right, wrong }
  }

  describe.concurrent.each([
    ['ahead', hourMs],
    ['behind', -hourMs],
  ])('one of them %s', (_, offByMs) => {
    it('respect a lease of the other, and keep its answer as long as the server finds', async ({
      onTestFinished,
    }) => {
      const { effects, right, wrong } = await scene(onTestFinished, offByMs)
      for (const [key, first, other] of [
        ['key-1', right, wrong],
        ['key-2', wrong, right],
      ] as const) {
        const held = first.order(key, { path: '/held' })
        await first.holding()
        const meanwhile = await other.order(key, { path: '/held' })
        expect(meanwhile).toMatchObject({ status: 409, code: 'request-in-flight' })
        first.goOn()
        const { status, body } = await held
        expect(status).toBe(201)

        const brief = `brief-${key}`
        const path = '/kept/briefly'
        const givenAt = await timeOf(redis)
        const given = await first.order(brief, { path })
        const later = await until('the answer is forgotten', async () => {
          const answer = await other.order(brief, { path })
          if (!answer.isReplay) return answer
          expect(answer.body).toBe(given.body)
          return false
        })
        expect((await timeOf(redis)) - givenAt).toBeGreaterThanOrEqual(retentionMs)
        expect(JSON.parse(later.body)).toMatchObject({ attempt: 1, after: 'nothing' })
        expect(effects.count(brief)).toBe(2)

        // That of a longer retention is still there.
        const again = await other.order(key, { path: '/held' })
        expect(again).toMatchObject({ status: 201, isReplay: true, body })
        expect(effects.count(key)).toBe(1)
      }
    })

    it('take over what the other has abandoned when the server finds its lease over', async ({
      onTestFinished,
    }) => {
      const { effects, right, wrong } = await scene(onTestFinished, offByMs)
      const [holder, other] = offByMs > 0 ? [right, wrong] : [wrong, right]
      const path = '/held/briefly'
      const claimedAt = await timeOf(redis)
      const unanswered = expect(holder.order('key', { path })).rejects.toThrow()
      await holder.holding()
      await holder.kill()
      await unanswered

      const holding = other.holding()
      const second = until('the key is taken over', async () => {
        const answer = await other.order('key', { path })
        return answer.status !== 409 && answer
      })
      await holding
      expect((await timeOf(redis)) - claimedAt).toBeGreaterThanOrEqual(leaseMs)
      other.goOn()
      const { status, body } = await second
      expect(status).toBe(201)
      expect(JSON.parse(body)).toMatchObject({ attempt: 2, after: 'abandoned' })
      expect(effects.count('key')).toBe(2)
    })
  })
})
