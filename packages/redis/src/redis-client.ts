/**
 * A client of ioredis 5 or 6, as the store uses it: a `Redis`, standalone or by Sentinel, or a `Cluster`. Written down
 * here because its own type says with which options it was made, and each major says it otherwise.
 */
export interface RedisClient {
  readonly status: string
  readonly isCluster: boolean
  readonly options: { readonly keyPrefix?: string | Buffer | undefined }
  connect(): Promise<unknown>
  quit(): Promise<unknown>
  disconnect(): void
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>
  pipeline(): RedisPipeline
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  on(event: string, listener: (...args: string[]) => void): unknown
  once(event: string, listener: (...args: string[]) => void): unknown
  off(event: string, listener: (...args: string[]) => void): unknown
  /** Of a `Redis`: options that replace its own. Of a `Cluster`: nodes to begin with, then options. */
  duplicate(...args: unknown[]): unknown
  /** Of a `Cluster` alone: the clients of its masters. */
  nodes?(role: 'master'): readonly RedisNode[]
}

export type Argument = string | Buffer | number

/** Calls that leave together, on one connection. */
export interface RedisPipeline {
  callBuffer(command: string, ...args: Argument[]): RedisPipeline
  exec(): Promise<[error: Error | null, answer: unknown][] | null>
}

/** One server. */
export interface RedisNode {
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>
}
