import { Redis } from 'ioredis'

/** Where a server listens. */
export interface Address {
  readonly host: string
  readonly port: number
  readonly password?: string
}

/** Gives one command on a connection of its own, once. Rejects soon where the server is down, paused or loading. */
export const ask = async (address: Address, command: readonly string[]): Promise<unknown> => {
  const client = new Redis({
    ...address,
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const [name = '', ...args] = command
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}
