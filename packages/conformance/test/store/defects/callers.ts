import type { ModelRecord } from '../../../src/model.js'
import { type Defect, wrongAtomicity, wrongRecord } from '../defect.js'
import { isAbandoned, isOver, withoutProgress } from './standing.js'

/** Stores that are wrong where many call, and when nobody does. */
export const callers: { readonly [guarantee: string]: Defect } = {
  // Many at once.
  'of many claims on an absent record one wins': wrongAtomicity((held) => !held),
  'of many claims on an abandoned record one wins': wrongAtomicity(
    (held, now) => isAbandoned(held, now) && held?.attempt === 1,
  ),
  'of many claims on a failed record one wins': wrongAtomicity((held) => held?.state === 'failed'),
  'of many claims on a record that is over and not purged one wins': wrongAtomicity(isOver),
  'a takeover and a late completion at one moment never both succeed': {
    handle: (store, { records, model, now }) => ({
      complete: async (lease, terms) => {
        const held = records.get(lease.recordKey)
        if (!isAbandoned(held, now())) return store.complete(lease, terms)
        await new Promise(setImmediate)
        const asked = { verb: 'complete', token: lease.token, ...terms } as const
        const { next, answer } = model.write(held, asked, now())
        if (next) records.set(lease.recordKey, next)
        return answer
      },
    }),
  },
  'what one handle has written every other one sees': {
    handle: (store, { records, model, now }) => {
      // What this handle has read and not written since.
      const seen = new Map<string, ModelRecord>()
      return {
        read: async (recordKey) => {
          const held = seen.get(recordKey) ?? records.get(recordKey)
          if (held) seen.set(recordKey, held)
          return model.read(held, now())
        },
        acquire: (claim) => {
          seen.delete(claim.recordKey)
          return store.acquire(claim)
        },
        renew: (lease, terms) => {
          seen.delete(lease.recordKey)
          return store.renew(lease, terms)
        },
        complete: (lease, terms) => {
          seen.delete(lease.recordKey)
          return store.complete(lease, terms)
        },
        fail: (lease, terms) => {
          seen.delete(lease.recordKey)
          return store.fail(lease, terms)
        },
        release: (lease) => {
          seen.delete(lease.recordKey)
          return store.release(lease)
        },
      }
    },
  },

  // A store's own housekeeping.
  'a purge removes only what is over': {
    handle: (_, { records, now }) => ({
      purgeExpired: async (limit) => {
        const over = [...records].filter(
          ([, record]) => isOver(record, now()) || isAbandoned(record, now()),
        )
        for (const [recordKey] of over.slice(0, limit)) records.delete(recordKey)
        return Math.min(over.length, limit)
      },
    }),
  },
  'a purge removes no more than it was asked to': {
    handle: (store) => ({ purgeExpired: () => store.purgeExpired(Number.POSITIVE_INFINITY) }),
  },
  'no record that was acknowledged is forgotten for another one': {
    handle: (store, { records }) => ({
      acquire: (claim) => {
        const [oldest] = records.keys()
        if (oldest !== undefined && records.size > 200) records.delete(oldest)
        return store.acquire(claim)
      },
    }),
  },
  'a closed store rejects, and closing it again does nothing': {
    handle: () => ({ close: async () => undefined }),
  },

  // What no example above shows: progress lost by the third attempt only, and after a failure only.
  'random commands are answered as the model answers them': wrongRecord((next, before) =>
    before?.state === 'failed' && next.attempt === 3 ? withoutProgress(next) : next,
  ),
}
