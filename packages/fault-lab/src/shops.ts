import { setTimeout as delay } from 'node:timers/promises'
import type { Order } from '../programs/reach.js'
import type { Place } from './kill-point.js'
import type { Random } from './random.js'
import type { ShopProcess } from './shop-process.js'

/** Shop processes that are killed, and others in their place. */
export interface Shops {
  /** Of one of them that listens. */
  port(): number | undefined
  /** Resolves when all that was planned has been done. As many as there were go on, and nobody kills them. */
  readonly done: Promise<void>
  /** How often each place was hit. */
  readonly hits: ReadonlyMap<Place, number>
  /** Ends them; none comes any more. */
  stop(): Promise<void>
}

export interface ShopsTerms {
  readonly start: () => Promise<ShopProcess>
  readonly processes: number
  readonly plan: readonly Place[]
  readonly random: Random
}

/** How long a shop may take to come by its point, which takes a hundredth of that. */
const patienceMs = 15_000

/** How long a shop that is killed at a random instant lives at most. */
const longestLifeMs = 150

/** So many requests at most come by a point before it is deadly: others are then in all stages. */
const mostPasses = 6

export const openShops = ({ start, processes, plan, random }: ShopsTerms): Shops => {
  const waiting = [...plan]
  const open = new Set<ShopProcess>()
  const hits = new Map<Place, number>()
  let turn = 0

  const opened = async (): Promise<ShopProcess> => {
    const shop = await start()
    open.add(shop)
    const leaves = () => open.delete(shop)
    shop.killed.then(leaves, leaves)
    return shop
  }

  const killOne = async (place: Place): Promise<void> => {
    const inTime = new AbortController()
    const shop = await opened()
    const lifeMs = place === 'random' ? random.below(longestLifeMs) : patienceMs
    if (place !== 'random') shop.order({ point: place, passes: random.below(mostPasses) } as Order)
    delay(lifeMs, undefined, { signal: inTime.signal }).then(shop.kill, () => {})
    const where = await shop.killed.finally(() => inTime.abort())
    if (where !== place) throw new Error(`A shop did not come by ${place} within ${patienceMs} ms`)
    hits.set(place, (hits.get(place) ?? 0) + 1)
  }

  const seat = async (): Promise<void> => {
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) await killOne(place)
    await opened()
  }

  return {
    hits,
    port: () => {
      const shops = [...open]
      return shops[turn++ % shops.length]?.port
    },
    done: Promise.all(Array.from({ length: processes }, seat)).then(() => {}),
    async stop() {
      waiting.length = 0
      const shops = [...open]
      for (const shop of shops) shop.kill()
      await Promise.allSettled(shops.map(({ killed }) => killed))
    },
  }
}
