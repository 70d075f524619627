import type { Acquisition, IdempotencyRecord, IdempotencyStore, Lease } from '@retrysafe/core'
import { type Model, type ModelRecord, type ModelWrite, model } from './model.js'

/** What a reference store is made of; a defect replaces one part. */
export interface ReferenceParts {
  readonly now: () => number
  /** Shared by every handle. */
  readonly records: Map<string, ModelRecord>
  readonly model: Model
  readonly copyIn: (bytes: Uint8Array) => Uint8Array
  readonly copyOut: (bytes: Uint8Array) => Uint8Array
}

const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** The parts of a store without a defect. */
export const soundParts = (now: () => number): ReferenceParts => ({
  now,
  records: new Map(),
  model,
  copyIn: copy,
  copyOut: copy,
})

/** A store made from the model: obvious, unbounded, and the one that defects are planted in. */
export const referenceStore = (parts: ReferenceParts): IdempotencyStore => {
  const { now, records, copyIn, copyOut } = parts
  let isClosed = false

  const keep = (recordKey: string, next: ModelRecord | undefined): void => {
    if (next) records.set(recordKey, next)
    else records.delete(recordKey)
  }

  const open = (): void => {
    if (isClosed) throw new Error('the store is closed')
  }

  const write = async ({ recordKey }: Lease, asked: ModelWrite) => {
    open()
    const { next, answer } = parts.model.write(records.get(recordKey), asked, now())
    keep(recordKey, next)
    return answer
  }

  const lentProgress = <Holder extends { readonly progress?: Uint8Array }>(holder: Holder) =>
    holder.progress ? { ...holder, progress: copyOut(holder.progress) } : holder

  const lent = (record: IdempotencyRecord): IdempotencyRecord =>
    record.state === 'completed'
      ? { ...record, result: copyOut(record.result) }
      : lentProgress(record)

  const lentAnswer = (answer: Acquisition): Acquisition =>
    answer.kind === 'exists'
      ? { kind: 'exists', record: lent(answer.record) }
      : lentProgress(answer)

  return {
    acquire: async (claim) => {
      open()
      const { next, answer } = parts.model.acquire(records.get(claim.recordKey), claim, now())
      keep(claim.recordKey, next)
      return lentAnswer(answer)
    },
    renew: async (lease, { leaseMs, progress }) => {
      const brought = progress ? { progress: copyIn(progress) } : {}
      return write(lease, { verb: 'renew', token: lease.token, leaseMs, ...brought })
    },
    complete: async (lease, { result, retentionMs }) =>
      write(lease, { verb: 'complete', token: lease.token, result: copyIn(result), retentionMs }),
    fail: async (lease, terms) => write(lease, { verb: 'fail', token: lease.token, ...terms }),
    release: async (lease) => write(lease, { verb: 'release', token: lease.token }),
    read: async (recordKey) => {
      open()
      const record = parts.model.read(records.get(recordKey), now())
      return record && lent(record)
    },
    purgeExpired: async (limit) => {
      open()
      const over = [...records].filter(([, record]) => now() >= record.endsAt).slice(0, limit)
      for (const [recordKey] of over) records.delete(recordKey)
      return over.length
    },
    close: async () => {
      isClosed = true
    },
  }
}
