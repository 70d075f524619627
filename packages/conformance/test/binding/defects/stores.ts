import { setTimeout as pause } from 'node:timers/promises'
import type { IdempotencyStore, WriteResult } from '@retrysafe/core'
import { storeTimeoutMs as endingTimeoutMs } from '../../../src/binding/late-endings.js'
import { storeTimeoutMs as claimTimeoutMs } from '../../../src/binding/store-faults.js'
import {
  forgetful,
  forgets,
  wrongAcquisition,
  wrongOptions,
  wrongRecord,
  wrongStore,
} from '../defect.js'
import type { Defect } from '../reference-harness.js'

const isFull = (error: unknown): boolean => (error as { code?: string }).code === 'store-full'

/** Store errors at an ending are taken for success. */
const swallowsErrors = wrongStore((store) => {
  const swallowed = <Terms extends unknown[]>(call: (...terms: Terms) => Promise<WriteResult>) => {
    return async (...terms: Terms): Promise<WriteResult> => {
      try {
        return await call(...terms)
      } catch (error) {
        if (isFull(error)) throw error
        return 'ok'
      }
    }
  }
  return {
    complete: swallowed(store.complete),
    fail: swallowed(store.fail),
    release: swallowed(store.release),
  }
})
const serviceForgotten = forgets('onStoreDown', 'graceMs')

/** Claims that failed are known by their tokens, and what is to undo them does something else. */
const undoing = (
  change: (
    store: IdempotencyStore,
    isGivenUp: (token: string) => boolean,
  ) => Partial<IdempotencyStore>,
): Defect => {
  return () => {
    let isHasty = false
    return {
      options: (options) => {
        if (options.storeTimeoutMs === claimTimeoutMs) isHasty = true
        return options
      },
      store: (store) => {
        const failed = new Set<string>()
        return {
          ...store,
          acquire: async (claim) => {
            failed.add(claim.token)
            const acquisition = await store.acquire(claim)
            if (!isHasty) failed.delete(claim.token)
            return acquisition
          },
          ...change(store, (token) => failed.has(token)),
        }
      },
    }
  }
}

const neverUndone = undoing((store, isGivenUp) => ({
  release: async (lease) => (isGivenUp(lease.token) ? 'ok' : store.release(lease)),
}))
const unreadableRuns = wrongAcquisition((acquisition) =>
  acquisition.kind === 'exists' &&
  acquisition.record.state === 'completed' &&
  acquisition.record.result.length === 0
    ? { kind: 'acquired', attempt: 2, after: 'failed' }
    : undefined,
)
/** The layer's refusal is written as the answer of the key that it refused. */
const recordsRefusals = wrongStore((store) => ({
  acquire: async (claim) => {
    const found = await store.acquire(claim)
    if (found.kind === 'acquired' || found.record.state !== 'in_flight') return found
    if (found.record.fingerprint === claim.fingerprint) return found
    const { recordKey } = claim
    const { token } = found.record
    await store.complete({ recordKey, token }, { result: Buffer.from('422'), retentionMs: 60_000 })
    return found
  },
}))

/** Bindings that deal wrongly with a store that fails, and with its operators. */
export const stores: { readonly [guarantee: string]: Defect } = {
  'a store that is down refuses the request at once': wrongStore((store) => ({
    acquire: async (claim) => {
      try {
        return await store.acquire(claim)
      } catch (error) {
        if ((error as Error).message !== 'connection refused') throw error
        return new Promise(() => {})
      }
    },
  })),
  'a store that does not answer refuses the request after storeTimeoutMs': wrongOptions(
    ({ storeTimeoutMs }) => ({
      storeTimeoutMs: storeTimeoutMs === claimTimeoutMs ? 60_000 : storeTimeoutMs,
    }),
  ),
  'a claim that was given up is released when the store answers at last': neverUndone,
  'a claim whose answer was lost is released': neverUndone,
  'a claim after a failure, given up, does not forget the attempt': undoing((store, isGivenUp) => ({
    fail: (lease, terms) =>
      isGivenUp(lease.token) ? store.release(lease) : store.fail(lease, terms),
  })),
  'under run-unprotected a store that is down lets the handler run, and an event says so':
    serviceForgotten,
  'a store that is full refuses new keys, and still replays': wrongStore((store) => ({
    acquire: async (claim) => {
      try {
        return await store.acquire(claim)
      } catch (error) {
        throw isFull(error) ? new Error('down') : error
      }
    },
  })),
  'an answer that finds no room is given whole, and not again': wrongStore((store) => ({
    complete: async (lease, terms) => {
      try {
        return await store.complete(lease, terms)
      } catch (error) {
        if (isFull(error)) return 'ok'
        throw error
      }
    },
  })),
  'under refuse, a record that cannot be read is refused and never run': unreadableRuns,
  'under run-unprotected, a record that cannot be read is refused and never run': unreadableRuns,
  'a record whose fingerprint nobody here can compute is refused, not taken for another request':
    wrongRecord((record) =>
      record.fingerprint.startsWith('77:') ? { ...record, fingerprint: '1:bytes=a' } : undefined,
    ),
  'a client that goes while its answer is recorded finds it on retry': () => {
    let isGone = (): boolean => false
    return {
      execution: (http, message) => {
        if (http.execution.protected) isGone = () => message.socket.destroyed
        return http
      },
      store: (given) => {
        const { store, forget } = forgetful(given)
        return {
          ...store,
          complete: async (lease, terms) => {
            const wasGone = isGone()
            const result = await store.complete(lease, terms)
            if (!wasGone && isGone()) forget(lease.recordKey)
            return result
          },
        }
      },
    }
  },

  'an ending that fails is tried again while the answer is held': swallowsErrors,
  'when complete is refused for long, the true answer leaves, and the tries go on': swallowsErrors,
  'when fail is refused for long, the true answer leaves, and the tries go on': swallowsErrors,
  'when release is refused for long, the true answer leaves, and the tries go on': swallowsErrors,
  'an ending whose answer was lost is one ending': wrongStore((store) => {
    const lost = new Set<string>()
    return {
      complete: async (lease, { result, retentionMs }) => {
        const more = lost.has(lease.token) ? [Uint8Array.of(0)] : []
        try {
          return await store.complete(lease, {
            result: Buffer.concat([result, ...more]),
            retentionMs,
          })
        } catch (error) {
          if ((error as Error).message === 'connection reset') lost.add(lease.token)
          throw error
        }
      },
    }
  }),
  'when complete hangs for long, the true answer leaves, and the tries go on': () => {
    let isHasty = false
    return {
      options: (options) => {
        if (options.storeTimeoutMs === endingTimeoutMs) isHasty = true
        return options
      },
      store: (store) => ({
        ...store,
        complete: (lease, terms) => {
          const call = store.complete(lease, terms)
          return isHasty ? Promise.race([call, pause(1, 'ok' as const)]) : call
        },
      }),
    }
  },
  'a renewal that fails costs nothing, and is tried again': wrongStore((store) => ({
    renew: (lease, terms) => store.renew(lease, terms).catch(() => 'stale'),
  })),

  'close() waits for what is running, then closes the store; new requests are refused': () => {
    let close = async (): Promise<void> => {}
    return {
      store: (store) => {
        close = () => store.close()
        return store
      },
      operations: (operations) => ({ ...operations, close: () => close() }),
    }
  },
  'close() waits no longer than graceMs': serviceForgotten,
  'a listener that throws changes nothing': () => {
    let mistake: unknown
    return {
      operations: (operations) => ({
        ...operations,
        events: {
          on: (name, listener) =>
            operations.events.on(name, (detail) => {
              try {
                listener(detail)
              } catch (error) {
                mistake = error
              }
            }),
        },
      }),
      begin: async (begin) => {
        const begun = await begin()
        if (mistake) throw mistake
        return begun
      },
    }
  },
  'events tell what became of a key, by its hash': () => {
    let key: string | undefined
    return {
      request: (request) => {
        key = request.fieldLines('idempotency-key')[0]
        return request
      },
      operations: (operations) => ({
        ...operations,
        events: {
          on: (name, listener) =>
            operations.events.on(name, (detail) => listener({ ...detail, key })),
        },
      }),
    }
  },
  'answers of the layer are never recorded as those of the key': recordsRefusals,
  'a refusal of the inner layer is not recorded as the answer of the outer operation':
    recordsRefusals,
}
