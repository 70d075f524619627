import {
  type Acquisition,
  IdempotencyError,
  type IdempotencyStore,
  type Lease,
  notices,
  type WriteResult,
} from '@retrysafe/core'
import { createAsking } from './asking.js'
import { closeClient, createReadiness, openBeside, openClient } from './connection.js'
import { toRecord } from './layout.js'
import { checkedOptions, type RedisStoreOptions } from './redis-options.js'
import * as scripts from './scripts.js'
import { setUpWarnings } from './set-up-warnings.js'
import { createWakeUps } from './wake-ups.js'

/**
 * The store on a Redis server, by Sentinel or on a Cluster: many processes on many machines. Leases and retention
 * run on the server's clock, and what survives what is the server's to say (README, "What survives what").
 *
 * Every verb is one script on one key, in one round trip. Where there is no connection, a call waits for one at most
 * `storeTimeoutMs`; a server that has one and does not answer is the core's to give up.
 *
 * A wrong option is an `OptionError`. Nothing is connected to before it is needed, but for `url`.
 *
 * @example
 * const store = redisStore({ url: 'redis://localhost:6379' })
 * const shared = redisStore({ client: new Redis(), prefix: 'shop:' })
 */
export const redisStore = (options: RedisStoreOptions): IdempotencyStore => {
  const { url, prefix, storeTimeoutMs, replicas, client: handed } = checkedOptions(options)
  const given = handed ?? openClient(url ?? '', storeTimeoutMs)
  // WAIT holds up everything on its connection: the application's calls, renewals and replays go by another.
  const waiting = replicas ? openBeside(given) : given
  const clients = [...new Set([given, waiting])]
  const opened = clients.filter((each) => each !== handed)
  const keyPrefix = given.options.keyPrefix ?? ''

  const gates = clients.map((each) => createReadiness(each, storeTimeoutMs))
  const { ask, askReplicated } = createAsking(given, waiting, replicas)
  const wakeUps = createWakeUps(() => openBeside(given))
  const { tell, watch, clear } = notices()
  let closing: Promise<void> | undefined

  const whenOpen = async (): Promise<void> => {
    if (closing) throw closed()
    for (const { wait } of gates) await wait()
  }

  const write = async (
    call: typeof ask,
    script: scripts.Script,
    { recordKey, token }: Lease,
    ...args: (string | Buffer)[]
  ): Promise<WriteResult> => {
    await whenOpen()
    return String(await call(script, prefix + recordKey, [token, ...args])) as WriteResult
  }

  const warn = async (): Promise<void> => {
    try {
      for (const message of await setUpWarnings(given)) tell({ kind: 'warning', message })
    } catch {
      // Who cannot be asked about its set-up cannot be asked for a record either, and says so there.
    }
  }
  const onFirstReady = (): void => void warn()
  if (given.status === 'ready') onFirstReady()
  else given.once('ready', onFirstReady)

  return {
    acquire: async (claim) => {
      const { recordKey, token, fingerprint, leaseMs, retentionMs, takeover } = claim
      await whenOpen()
      const lifeMs = Math.max(leaseMs, retentionMs)
      const args = [token, fingerprint, String(leaseMs), String(lifeMs), takeover ? '1' : '0']
      const answer = toAcquisition(await ask(scripts.acquire, prefix + recordKey, args))
      // A replay waits for no replica. What was claimed is asked for once more, where it is counted.
      if (!replicas || answer.kind === 'exists') return answer
      return toAcquisition(await askReplicated(scripts.acquire, prefix + recordKey, args))
    },
    renew: (lease, { leaseMs, progress }) =>
      progress === undefined
        ? write(ask, scripts.renew, lease, String(leaseMs))
        : write(askReplicated, scripts.renew, lease, String(leaseMs), toBuffer(progress)),
    complete: (lease, { result, retentionMs }) =>
      write(askReplicated, scripts.complete, lease, toBuffer(result), String(retentionMs)),
    fail: (lease, { inDoubt, retentionMs }) =>
      write(askReplicated, scripts.fail, lease, inDoubt ? 'd' : 'f', String(retentionMs)),
    release: (lease) => write(ask, scripts.release, lease),
    read: async (recordKey) => {
      await whenOpen()
      const answer = await ask(scripts.read, prefix + recordKey, [])
      return Array.isArray(answer) ? toRecord(answer[0], answer[1]) : undefined
    },
    changed: async (recordKey, signal) => {
      await whenOpen()
      const key = prefix + recordKey
      const announce = async (): Promise<boolean> => (await ask(scripts.announce, key, [])) === 1
      await wakeUps.wait(keyPrefix + key, signal, announce)
    },
    // The server forgets what is over by itself.
    purgeExpired: async () => {
      if (closing) throw closed()
      return 0
    },
    watch,
    close: () => {
      closing ??= (async () => {
        for (const gate of gates) gate.close()
        given.off('ready', onFirstReady)
        clear()
        const subscriber = wakeUps.close()
        const own = subscriber ? [...opened, subscriber] : opened
        await Promise.all(own.map((each) => closeClient(each, storeTimeoutMs)))
      })()
      return closing
    },
  } satisfies IdempotencyStore
}

const after = { n: 'nothing', f: 'failed', a: 'abandoned' } as const

const toAcquisition = (answer: unknown): Acquisition => {
  const [first, second, progress] = answer as [number | Buffer, number | Buffer, Buffer?]
  if (typeof first !== 'number')
    return { kind: 'exists', record: toRecord(first, second as number) }
  return {
    kind: 'acquired',
    attempt: first,
    after: after[String(second) as keyof typeof after],
    ...(progress ? { progress: new Uint8Array(progress) } : {}),
  }
}

/** The same bytes, as the driver takes them. */
const toBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

const closed = (): IdempotencyError =>
  new IdempotencyError('closed', 'idempotency: the Redis store is closed')
