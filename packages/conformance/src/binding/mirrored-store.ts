import type { IdempotencyRecord, IdempotencyStore, Lease } from '@retrysafe/core'
import type { ModelRecord } from '../model.js'
import { type ReferenceParts, referenceStore } from '../reference-store.js'

/**
 * A real store whose records stand in `records` as well, to look at, to lose and to spoil: what is taken out there is
 * lost to the layers, and what is put there in its place is what they find.
 */
export const mirroredStore = (
  real: IdempotencyStore,
  parts: ReferenceParts,
): IdempotencyStore & Pick<Required<IdempotencyStore>, 'changed'> => {
  const { records, now } = parts
  const spoilt = referenceStore(parts)
  /** What was put into the mirror last, by key. */
  const mirrored = new Map<string, ModelRecord>()
  /** How often the record of a key was lost; what was lost stays in the real store under its old name. */
  const losses = new Map<string, number>()
  const turns = new Map<string, Promise<unknown>>()

  const nameOf = (recordKey: string): string => {
    const lost = losses.get(recordKey)
    return lost === undefined ? recordKey : `${recordKey}#${lost}`
  }

  /** Notices what was done to the mirror since; answers whether another record stands there now. */
  const isSpoilt = (recordKey: string): boolean => {
    const before = mirrored.get(recordKey)
    const found = records.get(recordKey)
    if (found === before) return false
    if (found !== undefined) return true
    losses.set(recordKey, (losses.get(recordKey) ?? 0) + 1)
    mirrored.delete(recordKey)
    return false
  }

  const mirror = async (recordKey: string): Promise<void> => {
    const before = records.get(recordKey)
    const record = await real.read(nameOf(recordKey))
    // Lost in this very moment.
    if (records.get(recordKey) !== before) return
    if (record === undefined) {
      records.delete(recordKey)
      mirrored.delete(recordKey)
      return
    }
    const held = asHeld(record, now())
    records.set(recordKey, held)
    mirrored.set(recordKey, held)
  }

  /** One call of a key after the other, so that the mirror shows what the last one has left. */
  const inTurn = <Terms extends { readonly recordKey: string }, Answer>(
    terms: Terms,
    call: (store: IdempotencyStore, terms: Terms) => Promise<Answer>,
  ): Promise<Answer> => {
    const { recordKey } = terms
    const turn = async (): Promise<Answer> => {
      if (isSpoilt(recordKey)) return call(spoilt, terms)
      const answer = await call(real, { ...terms, recordKey: nameOf(recordKey) })
      await mirror(recordKey)
      return answer
    }
    const answer = (turns.get(recordKey) ?? Promise.resolve()).then(turn)
    turns.set(
      recordKey,
      answer.catch(() => {}),
    )
    return answer
  }

  return {
    acquire: (claim) => inTurn(claim, (store, terms) => store.acquire(terms)),
    renew: (lease, terms) => inTurn(lease, (store, own: Lease) => store.renew(own, terms)),
    complete: (lease, terms) => inTurn(lease, (store, own: Lease) => store.complete(own, terms)),
    fail: (lease, terms) => inTurn(lease, (store, own: Lease) => store.fail(own, terms)),
    release: (lease) => inTurn(lease, (store, own: Lease) => store.release(own)),
    read: (recordKey) => inTurn({ recordKey }, (store, own) => store.read(own.recordKey)),
    changed: (recordKey, signal) =>
      real.changed?.(nameOf(recordKey), signal) ?? new Promise(() => {}),
    purgeExpired: async (limit) => {
      const removed = await real.purgeExpired(limit)
      // Not by reading: a store may drop what it finds expired, and would have less to remove the next time. One that
      // removes nothing although there is something has forgotten it by itself, as a server with expiry does.
      const expired = [...mirrored]
        .filter(([, { endsAt }]) => endsAt <= now())
        .slice(0, removed === 0 ? limit : removed)
      for (const [recordKey] of expired) {
        records.delete(recordKey)
        mirrored.delete(recordKey)
      }
      return expired.length
    },
    close: () => real.close(),
  }
}

/** A record as the model holds one, as far as it shows from outside. */
const asHeld = (record: IdempotencyRecord, now: number): ModelRecord => {
  const { fingerprint, attempt, token } = record
  const common = { fingerprint, attempt, token }
  switch (record.state) {
    case 'completed':
      return {
        ...common,
        state: 'completed',
        result: record.result,
        endsAt: now + record.remainingMs,
      }
    case 'failed': {
      const { inDoubt, remainingMs, progress } = record
      return {
        ...common,
        state: 'failed',
        inDoubt,
        endsAt: now + remainingMs,
        ...(progress && { progress }),
      }
    }
    case 'in_flight': {
      const { leaseRemainingMs, progress } = record
      const leaseEndsAt = now + leaseRemainingMs
      return {
        ...common,
        state: 'in_flight',
        after: 'nothing',
        leaseEndsAt,
        endsAt: Number.MAX_SAFE_INTEGER,
        ...(progress && { progress }),
      }
    }
  }
}
