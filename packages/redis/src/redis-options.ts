import { OptionError } from '@retrysafe/core'
import type { RedisClient } from './redis-client.js'

/** What `redisStore()` can be told, whoever makes the connection. */
export interface RedisOptions {
  /**
   * What the name of every key begins with. Two applications that share a server may share it too: what tells
   * their keys apart is `namespace`.
   * @default 'retrysafe:'
   */
  readonly prefix?: string
  /**
   * How long a call waits for a connection, in milliseconds. Then it rejects with `store-unavailable`, and has not
   * been sent.
   * @default 2000
   */
  readonly storeTimeoutMs?: number
  /**
   * Asks after every claim, completion and failure how many replicas have it, on a connection of the store's own. A
   * claim that too few have is released and refused with `store-unavailable`; an ending that too few have rejects,
   * and is tried again. It narrows what a failover can lose, and no more: a replica that has it need not be the
   * one that is chosen. Without it nothing is asked.
   */
  readonly replicas?: {
    /** How many replicas must have the write, 1 or more. */
    readonly count: number
    /**
     * How long to wait for them, in milliseconds. Other calls of this process wait meanwhile.
     * @default 1000
     */
    readonly timeoutMs?: number
  }
}

/** Where the records are: a client that stays the application's, or the address of a server for one of the store's own. */
export type RedisSource =
  | {
      /** Stays open when the store is closed. */
      readonly client: RedisClient
      readonly url?: never
    }
  | {
      /** `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. */
      readonly url: string
      readonly client?: never
    }

/** What `redisStore()` takes. */
export type RedisStoreOptions = RedisSource & RedisOptions

/** The options with their defaults, each of them checked. */
export interface CheckedOptions {
  readonly client: RedisClient | undefined
  readonly url: string | undefined
  readonly prefix: string
  readonly storeTimeoutMs: number
  readonly replicas: { readonly count: number; readonly timeoutMs: number } | undefined
}

export const checkedOptions = (options: RedisStoreOptions): CheckedOptions => {
  if (typeof options !== 'object' || options === null)
    throw new OptionError(
      'redisStore() to be given { client } or { url }',
      shown(options),
      'It names the server that the records are on.',
    )
  const { client, url, prefix = 'retrysafe:', storeTimeoutMs = 2000, replicas } = options
  if ((client === undefined) === (url === undefined))
    throw new OptionError(
      'redisStore() to be given either { client } or { url }',
      client === undefined ? 'neither' : 'both',
      'It names the server that the records are on.',
    )
  if (url !== undefined && !/^rediss?:\/\//.test(url))
    // Not shown: it may bear a password.
    throw new OptionError(
      '"url" to begin with redis:// or rediss://',
      'another',
      'It is the address of the server.',
    )
  if (client !== undefined && !isClient(client))
    throw new OptionError(
      '"client" to be a client of ioredis',
      shown(client),
      'The store speaks to the server through it. Make one with new Redis() or new Cluster().',
    )
  if (typeof prefix !== 'string')
    throw new OptionError('"prefix" to be text', shown(prefix), 'Every key begins with it.')
  requireWhole(
    'storeTimeoutMs',
    storeTimeoutMs,
    'It bounds how long a call waits for a connection.',
  )
  return { client, url, prefix, storeTimeoutMs, replicas: checkedReplicas(replicas) }
}

const checkedReplicas = (replicas: RedisOptions['replicas']): CheckedOptions['replicas'] => {
  if (replicas === undefined) return undefined
  if (typeof replicas !== 'object' || replicas === null)
    throw new OptionError(
      '"replicas" to be { count, timeoutMs }',
      shown(replicas),
      'It says how many replicas must have a write.',
    )
  const { count, timeoutMs = 1000 } = replicas
  requireWhole('replicas.count', count, 'So many replicas must have a write.')
  requireWhole(
    'replicas.timeoutMs',
    timeoutMs,
    'It bounds how long a write waits for its replicas.',
  )
  return { count, timeoutMs }
}

const isClient = (value: unknown): value is RedisClient => {
  const client = value as Partial<RedisClient> | null
  return (
    typeof client === 'object' &&
    client !== null &&
    typeof client.callBuffer === 'function' &&
    typeof client.duplicate === 'function' &&
    typeof client.status === 'string'
  )
}

const requireWhole = (name: string, value: unknown, why: string): void => {
  if (Number.isSafeInteger(value) && (value as number) > 0) return
  throw new OptionError(`"${name}" to be a positive whole number`, shown(value), why)
}

const shown = (value: unknown): string => {
  if (typeof value === 'object' && value !== null)
    return `a ${value.constructor?.name ?? 'bare object'}`
  return typeof value === 'string' ? `'${value}'` : String(value)
}
