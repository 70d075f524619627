import type { Acquisition } from '@retrysafe/core'
import {
  forgetful,
  forgets,
  handlerGets,
  says,
  wrongAcquisition,
  wrongEnding,
  wrongOptions,
  wrongStore,
} from '../defect.js'
import type { Defect } from '../reference-harness.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const acquired: Acquisition = { kind: 'acquired', attempt: 1, after: 'nothing' }

const limitForgotten = forgets('maxRunMs')
/** Whatever a renewal answers, the lease is taken for ours. */
const renewalTrusted = wrongStore((store) => ({
  renew: async (lease, terms) => {
    await store.renew(lease, terms)
    return 'ok'
  },
}))
const failUnheard = handlerGets(() => ({ fail: () => {} }))

/** Bindings whose runs and leases are not what they should be. */
export const runs: { readonly [guarantee: string]: Defect } = {
  'of twenty at the same instant one runs, and the others are told so or get its answer':
    wrongStore((store) => ({
      acquire: async (claim) => {
        const record = await store.read(claim.recordKey)
        const acquisition = await store.acquire(claim)
        return record ? acquisition : acquired
      },
    })),
  'the handler runs only when the key has been claimed': wrongStore((store) => ({
    acquire: async (claim) => {
      const call = store.acquire(claim)
      call.catch(() => {})
      return Promise.race([call, turn().then(() => acquired)])
    },
  })),
  'a handler that takes longer than its lease stays protected': wrongStore((store) => ({
    renew: (lease, terms) => store.renew(lease, { ...terms, leaseMs: 1 }),
  })),
  'after maxRunMs the signal aborts and the lease is renewed no more': limitForgotten,
  'the lease outlives a maxRunMs that is shorter, without a renewal': wrongOptions(
    ({ leaseMs = 60_000, maxRunMs = leaseMs }) => ({ leaseMs: Math.min(leaseMs, maxRunMs) }),
  ),
  'an abandoned key runs again, and the attempt says so': wrongAcquisition((acquisition) =>
    acquisition.kind === 'acquired' && acquisition.after === 'abandoned'
      ? { ...acquisition, after: 'nothing' }
      : undefined,
  ),
  'who lost the lease gives its client the answer that stands': wrongEnding(
    async (http, answer) => {
      const instead = await http.finish(answer)
      return instead && instead.status < 300 ? undefined : instead
    },
  ),
  'who lost the lease to one that is still at work tells its client so': wrongEnding(
    async (http, answer) => {
      const instead = await http.finish(answer)
      return instead?.status === 409 ? undefined : instead
    },
  ),
  'who lost the lease and fails changes nothing': () => ({
    store: (given) => {
      const { store, forget } = forgetful(given)
      return {
        ...store,
        fail: async (lease, terms) => {
          const result = await store.fail(lease, terms)
          if (result === 'stale') forget(lease.recordKey)
          return result
        },
      }
    },
  }),
  'the signal aborts when the lease is found lost, and an event says so': renewalTrusted,
  'a record that the store has lost is claimed again, and completed': wrongStore((store) => ({
    complete: async (lease, terms) => {
      const result = await store.complete(lease, terms)
      return result === 'gone' ? 'ok' : result
    },
  })),
  'a record that the store has lost is claimed again by a renewal': renewalTrusted,
  'under reject, a key whose lease ran out is refused, without a Retry-After': wrongStore(
    (store) => ({
      acquire: async (claim) => {
        const found = await store.acquire(claim)
        const isAbandoned =
          found.kind === 'exists' &&
          found.record.state === 'in_flight' &&
          found.record.leaseRemainingMs === 0
        return isAbandoned ? store.acquire({ ...claim, takeover: true }) : found
      },
    }),
  ),
  'under reject, a key that answered 5xx or threw is refused for doubtRetentionMs': says(
    502,
    'fail',
  ),
  'under reject, a failure that said fail() is in no doubt': failUnheard,
  'under reject, an answer is kept as ever, and a transient refusal runs again': wrongEnding(
    (http, answer) => http.finish(answer.status === 409 ? { ...answer, status: 500 } : answer),
  ),
  'every request behind the layer has an execution, also one that is not protected': handlerGets(
    (execution) => (execution.protected ? {} : { derivedKey: (name) => name }),
  ),
  'a protected request has its key, its scope, its attempt and a signal': handlerGets(() => ({
    scope: undefined,
  })),
  'a derived key is the same in every attempt, and another for each name and key': handlerGets(
    ({ derivedKey, attempt }) => ({ derivedKey: (name) => derivedKey(`${name} ${attempt}`) }),
  ),
  'complete() keeps the answer that follows, whatever its status': handlerGets(() => ({
    complete: () => {},
  })),
  'fail() lets the key run again, whatever the status': failUnheard,
  'release() forgets the key, whatever the status': handlerGets(() => ({ release: () => {} })),
  'the last of complete(), fail() and release() counts, and wins over markEffects() and keep':
    handlerGets(({ complete, fail, release }) => {
      let hasSpoken = false
      const once = (say: () => void) => () => {
        if (!hasSpoken) say()
        hasSpoken = true
      }
      return { complete: once(complete), fail: once(fail), release: once(release) }
    }),
  'after markEffects() an error is kept and replayed': handlerGets(() => ({
    markEffects: async () => {},
  })),
  'markEffects() holds in the attempt after a crash': wrongStore((store) => ({
    renew: (lease, { leaseMs }) => store.renew(lease, { leaseMs }),
  })),
}
