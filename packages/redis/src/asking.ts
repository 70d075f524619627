import { explain, isIdempotencyError, StoreError, unreadableRecord } from '@retrysafe/core'
import type { Argument, RedisClient } from './redis-client.js'
import type { CheckedOptions } from './redis-options.js'
import type { Script } from './scripts.js'

/** Runs a script on the server that has the key. */
export interface Asking {
  /** In one round trip. Rejects with `StoreError`. */
  ask(script: Script, key: string, args: readonly Argument[]): Promise<unknown>
  /** The same, and resolves only when as many replicas have the write as is asked for. */
  askReplicated(script: Script, key: string, args: readonly Argument[]): Promise<unknown>
}

/** @param waiting The connection that WAIT holds up: nothing but what is counted goes by it. */
export const createAsking = (
  client: RedisClient,
  waiting: RedisClient,
  replicas: CheckedOptions['replicas'],
): Asking => {
  const alone = async (
    on: RedisClient,
    script: Script,
    key: string,
    args: readonly Argument[],
  ): Promise<unknown> => {
    try {
      return await on.callBuffer('evalsha', script.sha, 1, key, ...args)
    } catch (error) {
      if (!isUnknownScript(error)) throw error
      return on.callBuffer('eval', script.lua, 1, key, ...args)
    }
  }

  const ask: Asking['ask'] = async (script, key, args) => {
    try {
      return await alone(client, script, key, args)
    } catch (error) {
      throw asStoreError(error)
    }
  }

  if (replicas === undefined) return { ask, askReplicated: ask }

  const { count, timeoutMs } = replicas
  /** WAIT counts for the writes of its own connection: it must follow the write on the very one that took it. */
  const counted = async (
    script: Script,
    key: string,
    args: readonly Argument[],
    isKnown: boolean,
  ): Promise<unknown> => {
    const pipeline = waiting.pipeline()
    if (isKnown) pipeline.callBuffer('evalsha', script.sha, 1, key, ...args)
    else pipeline.callBuffer('eval', script.lua, 1, key, ...args)
    const answers = (await pipeline.callBuffer('wait', count, timeoutMs).exec()) ?? []
    const [[failure, answer] = [], [waitFailure, reached] = []] = answers
    if (failure) throw failure
    if (!isWritten(answer)) return answer
    if (waitFailure) throw waitFailure
    if (Number(reached) < count) throw tooFew(count, Number(reached), timeoutMs)
    return answer
  }

  return {
    ask,
    askReplicated: async (script, key, args) => {
      try {
        return await counted(script, key, args, true)
      } catch (error) {
        try {
          if (isUnknownScript(error)) return await counted(script, key, args, false)
          if (!isElsewhere(error)) throw error
          // The driver redirects a lone call, and knows the way then. The call may be made twice: its token sees to that.
          await alone(waiting, script, key, args)
          return await counted(script, key, args, true)
        } catch (last) {
          throw asStoreError(last)
        }
      }
    },
  }
}

/** Whether a script has claimed or ended a record, and not merely told what stands. */
const isWritten = (answer: unknown): boolean =>
  Array.isArray(answer) ? typeof answer[0] === 'number' : String(answer) === 'ok'

const isUnknownScript = (error: unknown): boolean => messageOf(error).startsWith('NOSCRIPT')

const isElsewhere = (error: unknown): boolean => /^(MOVED|ASK|TRYAGAIN) /.test(messageOf(error))

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

const tooFew = (count: number, reached: number, timeoutMs: number): StoreError =>
  new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      `${count} replicas to have the record within ${timeoutMs} ms`,
      String(reached),
      'A failover could lose it.',
    ),
  )

/** Redis's own words, without its error: the driver hangs the call on it, and that bears what was to be stored. */
const asStoreError = (error: unknown): StoreError => {
  if (isIdempotencyError(error)) return error as StoreError
  // A server that does not know a command repeats what it was asked, the token among it.
  const words = messageOf(error).replace(/,? with args beginning with.*/s, '')
  if (/\b(WRONGTYPE|UNREADABLE)\b/.test(words)) return unreadableRecord('a record', words)
  return new StoreError(
    'store-unavailable',
    explain(
      'store-unavailable',
      'Redis to answer',
      words,
      'What is not in the store is not protected.',
    ),
  )
}
