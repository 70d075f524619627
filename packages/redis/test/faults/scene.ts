import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Events, Execution, IdempotencyEvents } from '@retrysafe/core'
import { type RedisStoreOptions, redisStore } from '../../src/index.js'
import { type RedisServer, type StartRedisOptions, startRedis } from '../servers/redis-server.js'
import { until } from '../servers/until.js'
import { type Answer, type OrderOptions, order } from './order.js'
import { type ShopOptions, startShop } from './shop.js'

/** Takes what is to be done when the test is over. */
export type Later = (action: () => Promise<void>) => void

/** A server until then. */
export const openedRedis = async (
  later: Later,
  options: StartRedisOptions = {},
): Promise<RedisServer> => {
  const server = await startRedis(options)
  later(() => server.stop())
  return server
}

/** Where effects are written to, by this process and by others. */
export interface EffectsFile {
  readonly file: string
  /** How often something has happened for the key. */
  count(key: string): number
  all(): string[]
}

export const effectsFile = (later: Later): EffectsFile => {
  const folder = mkdtempSync(join(tmpdir(), 'retrysafe-effects-'))
  later(async () => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'effects')
  const all = (): string[] => {
    try {
      return readFileSync(file, 'utf8').split('\n').slice(0, -1)
    } catch {
      return []
    }
  }
  return { file, all, count: (key) => all().filter((each) => each === key).length }
}

/** What the layer has told. */
export interface Heard {
  readonly all: readonly (readonly [name: string, detail: unknown])[]
  count(name: keyof IdempotencyEvents): number
  /** Resolves when the event has been told, or has been told so often. */
  told(name: keyof IdempotencyEvents, times?: number): Promise<void>
}

const names = [
  'acquired',
  'takeover',
  'replayed',
  'in-flight',
  'completed',
  'failed',
  'released',
  'lease-lost',
  'completion-retried',
  'completion-given-up',
  'store-down',
  'unprotected',
] as const satisfies (keyof IdempotencyEvents)[]

const heardFrom = (events: Events): Heard => {
  const all: [string, unknown][] = []
  for (const name of names)
    events.on(name, (detail) => {
      all.push([name, detail])
    })
  const count = (name: string): number => all.filter(([each]) => each === name).length
  return {
    all,
    count,
    told: async (name, times = 1) => {
      await until(`'${name}' was told ${times} times`, () => count(name) >= times)
    },
  }
}

/** The shop in this process, as a test sees it. */
export interface Scene {
  order(key: string, options?: OrderOptions): Promise<Answer>
  readonly heard: Heard
  effects(key: string): number
  close(): Promise<void>
}

/** A shop in this process, until then. */
export const openedShop = async (
  later: Later,
  redis: RedisStoreOptions,
  options: ShopOptions = {},
  during?: (execution: Execution) => unknown,
  remark?: string,
): Promise<Scene> => {
  const effects = effectsFile(later)
  const shop = await startShop({
    store: redisStore(redis),
    effects: effects.file,
    // What has no server to be written to any more is not waited for when the test is over.
    routes: { '/orders': { graceMs: 1, ...options } },
    during,
    remark,
  })
  later(() => shop.close())
  return {
    order: (key, sent) => order(shop.port, key, sent),
    heard: heardFrom(shop.events('/orders')),
    effects: effects.count,
    close: shop.close,
  }
}

/** A server that was slow to answer is asked again, until a handler has come to the gate. Answers its client's answer. */
export const heldOrder = async (
  shop: Scene,
  { reached }: Gate,
  key: string,
  options?: OrderOptions,
): Promise<{ readonly answer: Promise<Answer> }> =>
  until('a handler is held', async () => {
    const answer = shop.order(key, options)
    const isHeld = await Promise.race([reached.then(() => true), answer.then(() => false)])
    return isHeld && { answer }
  })

/** Holds a handler until it is told to go on. */
export interface Gate {
  /** Resolves when a handler has come. */
  readonly reached: Promise<void>
  readonly wait: () => Promise<void>
  open(): void
}

export const gate = (): Gate => {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  let reach = (): void => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  return {
    reached,
    wait: () => {
      reach()
      return opened
    },
    open,
  }
}
