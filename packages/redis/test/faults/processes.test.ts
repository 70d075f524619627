import { describe, expect, it, onTestFinished } from 'vitest'
import { hasRedisServer } from '../servers/redis-server.js'
import { useProgram } from './compiled.js'
import { type Connection, connection, type QuickAnswer } from './connection.js'
import { effectsFile, openedRedis } from './scene.js'
import { startShopProcess } from './shop-process.js'

const count = (length: number): number[] => Array.from({ length }, (_, index) => index)

describe.skipIf(!hasRedisServer)('four processes on one Redis', () => {
  const program = useProgram('shop-process')

  /** Sixteen clients, each with a connection to one of the four. */
  const sixteenClients = async (ports: readonly number[]): Promise<Connection[]> => {
    const clients = await Promise.all(
      count(16).map((client) => connection(ports[client % 4] as number)),
    )
    onTestFinished(() => clients.forEach((client) => void client.close()))
    return clients
  }

  it('have 1,000 effects for 1,000 keys, each asked for sixteen times at once', {
    timeout: 120_000,
  }, async () => {
    const { url } = await openedRedis(onTestFinished)
    const effects = effectsFile(onTestFinished)
    const shops = await Promise.all(
      // At two of them duplicates wait for the first.
      [{}, {}, { waitMs: 60_000 }, { waitMs: 60_000 }].map((onInFlight) =>
        startShopProcess(onTestFinished, program(), {
          redis: { url },
          effects: effects.file,
          routes: { '/orders': { onInFlight } },
        }),
      ),
    )

    const statuses = new Set<number>()
    let refused = 0
    const asked = async (client: Connection, key: string): Promise<QuickAnswer> => {
      const answer = await client.order(key)
      statuses.add(answer.status)
      if (answer.status === 409) refused++
      return answer
    }
    /** What the clients were told, each of them once, and the one for whom it ran once more. */
    const play = async (clients: readonly Connection[], key: string): Promise<QuickAnswer[]> => {
      const first = await Promise.all(clients.map((client) => asked(client, key)))
      const again = await Promise.all(
        clients.map(async (client, index) => {
          let answer = first[index] as QuickAnswer
          if (answer.isReplay) return answer
          do answer = await asked(client, key)
          while (answer.status === 409)
          return answer
        }),
      )
      return [...first.filter(({ status }) => status !== 409), ...again]
    }

    const keys = count(1_000).map((index) => `key-${index}`)
    const left = [...keys]
    const told = new Map<string, QuickAnswer[]>()
    await Promise.all(
      count(4).map(async () => {
        const clients = await sixteenClients(shops.map(({ port }) => port))
        for (let key = left.pop(); key !== undefined; key = left.pop())
          told.set(key, await play(clients, key))
      }),
    )

    expect([...statuses].toSorted()).toEqual([201, 409])
    expect(
      [...told.values()].map((answers) => answers.filter((each) => !each.isReplay).length),
    ).toEqual(keys.map(() => 1))
    const bodies = [...told.values()].map((answers) => new Set(answers.map(({ body }) => body)))
    expect(bodies.map(({ size }) => size)).toEqual(keys.map(() => 1))
    expect(new Set(bodies.flatMap((each) => [...each])).size).toBe(1_000)
    expect(effects.all().toSorted()).toEqual(keys.toSorted())
    // They did meet.
    expect(refused).toBeGreaterThan(0)
  })
})
