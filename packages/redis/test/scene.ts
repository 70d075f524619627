import { randomUUID } from 'node:crypto'
import type { Claim, IdempotencyStore } from '@retrysafe/core'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { type RedisStoreOptions, redisStore } from '../src/index.js'

/** A store that is closed with the test. */
export const openedStore = (options: RedisStoreOptions): IdempotencyStore => {
  const store = redisStore(options)
  onTestFinished(() => store.close())
  return store
}

/** A client that is closed with the test. */
export const openedClient = (url: string): Redis => {
  const client = new Redis(url)
  onTestFinished(() => client.disconnect())
  return client
}

/** A prefix that no other test has. */
export const ownPrefix = (): string => `${randomUUID()}:`

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export const claimOn = (recordKey: string, terms: Partial<Claim> = {}): Claim => ({
  recordKey,
  token: randomUUID(),
  fingerprint: 'print',
  leaseMs: 60_000,
  retentionMs: 60_000,
  takeover: true,
  ...terms,
})
