import {
  type Claim,
  changes,
  IdempotencyError,
  type IdempotencyStore,
  type Lease,
  notices,
  StoreError,
  type WriteResult,
} from '@retrysafe/core'
import { boundedRecords } from './bounded-records.js'
import { clusterWarning } from './cluster-warning.js'
import {
  begun,
  completed,
  copied,
  failed,
  type HeldLease,
  type HeldRecord,
  renewed,
  shown,
} from './held-record.js'
import { checkedOptions, type MemoryStoreOptions } from './memory-options.js'
import { purgeTimer } from './purge-timer.js'

/** A store in the memory of this process; `watch` and `changed` are there. */
export type MemoryStore = IdempotencyStore & Required<Pick<IdempotencyStore, 'watch' | 'changed'>>

const storeFull = (what: string): StoreError =>
  new StoreError(
    'store-full',
    `idempotency: the memory store has no room for ${what}: it holds what maxEntries and maxBytes allow, and ` +
      "forgets no record in silence. Raise them, shorten retentionMs, or set onStoreFull: 'evict-completed'.",
  )

/** What a claim is answered by what stands. Pure; the holder that asks again gets its own lease. */
const granted = (held: HeldRecord, claim: Claim, now: number): HeldLease | undefined => {
  // Before the token: a mismatch is one for the holder too.
  if (held.fingerprint !== claim.fingerprint) return undefined
  const { attempt } = held
  switch (held.state) {
    case 'in_flight':
      if (held.token === claim.token) return held
      if (now < held.leaseEndsAt || !claim.takeover) return undefined
      return begun(claim, now, attempt + 1, 'abandoned', held.progress)
    case 'failed':
      if (held.inDoubt && !claim.takeover) return undefined
      return begun(claim, now, attempt + 1, 'failed', held.progress)
    case 'completed':
      return undefined
  }
}

/**
 * Keeps records in the memory of this process, within bounds, and forgets none in silence. What the process
 * knew is gone with it: for several processes, or to outlive a restart, there are other stores.
 *
 * Results and progress are copied on the way in and on the way out.
 *
 * @example
 * const once = idempotency({ store: memoryStore(), scope: (req) => accountOf(req) })
 */
export const memoryStore = (options: MemoryStoreOptions = {}): MemoryStore => {
  const { now, ...bounds } = checkedOptions(options)
  const operators = notices()
  const warning = clusterWarning()
  if (warning) operators.tell({ kind: 'warning', message: warning })
  const waiters = changes()
  const onEvicted = (recordKey: string) => operators.tell({ kind: 'evicted', recordKey })
  const records = boundedRecords({ ...bounds, onEvicted })
  const timer = purgeTimer({
    get size() {
      return records.size
    },
    purge: (limit, looks) => records.purge(limit, looks, now()),
  })
  let isClosed = false

  const instant = (): number => {
    if (!isClosed) return now()
    throw new IdempotencyError('closed', 'idempotency: the memory store is closed')
  }

  const put = (record: HeldRecord, before: HeldRecord | undefined, at: number, what: string) => {
    if (!records.put(record, before, at)) throw storeFull(what)
    if (before) waiters.tell(record.recordKey)
    else timer.wake()
  }

  /** What a write may change: the lease of whoever writes. Else the answer, unless it is told again. */
  const holding = (
    { recordKey, token }: Lease,
    at: number,
    isToldAgain: (held: HeldRecord) => boolean,
  ): HeldLease | WriteResult => {
    const held = records.peek(recordKey, at)
    if (!held) return 'gone'
    if (held.token !== token) return 'stale'
    if (held.state === 'in_flight') return held
    return isToldAgain(held) ? 'ok' : 'stale'
  }

  const never = (): boolean => false

  return {
    acquire: async (claim) => {
      const at = instant()
      const held = records.find(claim.recordKey, at)
      const lease = held ? granted(held, claim, at) : begun(claim, at, 1, 'nothing', undefined)
      if (!lease) return { kind: 'exists', record: shown(held as HeldRecord, at) }
      if (lease !== held) put(lease, held, at, 'another key')
      const { attempt, after, progress } = lease
      return progress !== undefined
        ? { kind: 'acquired', attempt, after, progress: copied(progress) }
        : { kind: 'acquired', attempt, after }
    },
    renew: async (lease, { leaseMs, progress }) => {
      const at = instant()
      const held = holding(lease, at, never)
      if (typeof held === 'string') return held
      const brought = progress && copied(progress)
      put(renewed(held, at + leaseMs, brought), held, at, 'the progress')
      return 'ok'
    },
    complete: async (lease, { result, retentionMs }) => {
      const at = instant()
      const held = holding(
        lease,
        at,
        (before) => before.state === 'completed' && Buffer.compare(before.result, result) === 0,
      )
      if (typeof held === 'string') return held
      put(completed(held, copied(result), at + retentionMs), held, at, 'the result')
      return 'ok'
    },
    fail: async (lease, { inDoubt, retentionMs }) => {
      const at = instant()
      const held = holding(
        lease,
        at,
        (before) => before.state === 'failed' && before.inDoubt === inDoubt,
      )
      if (typeof held === 'string') return held
      put(failed(held, inDoubt, at + retentionMs), held, at, 'the failure')
      return 'ok'
    },
    release: async (lease) => {
      const held = holding(lease, instant(), never)
      if (typeof held === 'string') return held
      records.remove(held)
      waiters.tell(held.recordKey)
      return 'ok'
    },
    read: async (recordKey) => {
      const at = instant()
      const held = records.peek(recordKey, at)
      return held && shown(held, at)
    },
    changed: async (recordKey, signal) => {
      instant()
      await waiters.wait(recordKey, signal)
    },
    purgeExpired: async (limit) => records.purge(limit, Number.POSITIVE_INFINITY, instant()),
    close: async () => {
      isClosed = true
      timer.stop()
      records.clear()
      waiters.clear()
      operators.clear()
    },
    watch: operators.watch,
  } satisfies IdempotencyStore
}
