import type { ModelRecord } from '../../../conformance/src/model.js'

/**
 * What the enumeration knows of a record. It is abstracted in three ways, and each leaves nothing out:
 *
 * - Time is whether the lease is over, and whether the record outlives it: nothing else that the machine decides
 *   depends on an instant.
 * - Three stands for the third attempt and all that follow: an attempt is only counted, never compared.
 * - Whose token stands is kept with the callers (`caller.ts`): a token is only compared with another, and one that no
 *   caller and no call under way bears can never be named again.
 */
export type AbstractRecord = { readonly fingerprint: 0 | 1; readonly attempt: 1 | 2 | 3 } & (
  | {
      readonly state: 'in_flight'
      readonly after: 'nothing' | 'failed' | 'abandoned'
      readonly marked: boolean
      readonly lease: 'live' | 'over'
      readonly outlivesLease: boolean
    }
  | { readonly state: 'completed' }
  | { readonly state: 'failed'; readonly inDoubt: boolean; readonly marked: boolean }
)

/** The instant at which every step is taken, and those that lie before and after it. */
export const instants = { now: 0, past: -1_000, leaseEnd: 1_000, recordEnd: 10_000 } as const

export const fingerprints = ['print', 'other'] as const
export const progress = Uint8Array.of(1)
export const result = Uint8Array.of(2)

/** A record that the abstract one stands for. */
export const concrete = (record: AbstractRecord, token: string): ModelRecord => {
  const { past, leaseEnd, recordEnd } = instants
  const shared = {
    fingerprint: fingerprints[record.fingerprint],
    attempt: record.attempt,
    token,
    endsAt: recordEnd,
    ...('marked' in record && record.marked ? { progress } : {}),
  }
  switch (record.state) {
    case 'in_flight': {
      const leaseEndsAt = record.lease === 'live' ? leaseEnd : past
      const endsAt = record.outlivesLease ? recordEnd : leaseEndsAt
      return { ...shared, state: 'in_flight', after: record.after, leaseEndsAt, endsAt }
    }
    case 'completed':
      return { ...shared, state: 'completed', result }
    case 'failed':
      return { ...shared, state: 'failed', inDoubt: record.inDoubt }
  }
}

/** What stands for a record at an instant; nothing does for one that is over. */
export const abstracted = (
  held: ModelRecord | undefined,
  now: number,
): AbstractRecord | undefined => {
  if (!held || now >= held.endsAt) return undefined
  const shared = {
    fingerprint: held.fingerprint === fingerprints[0] ? 0 : 1,
    attempt: Math.min(held.attempt, 3) as 1 | 2 | 3,
  } as const
  const marked = held.progress !== undefined
  switch (held.state) {
    case 'in_flight':
      return {
        ...shared,
        state: 'in_flight',
        after: held.after,
        marked,
        lease: now < held.leaseEndsAt ? 'live' : 'over',
        outlivesLease: held.endsAt > held.leaseEndsAt,
      }
    case 'completed':
      return { ...shared, state: 'completed' }
    case 'failed':
      return { ...shared, state: 'failed', inDoubt: held.inDoubt, marked }
  }
}

const befores = [
  { attempt: 1, after: 'nothing' },
  { attempt: 2, after: 'failed' },
  { attempt: 2, after: 'abandoned' },
  { attempt: 3, after: 'failed' },
  { attempt: 3, after: 'abandoned' },
] as const

const times = [
  { lease: 'live', outlivesLease: true },
  { lease: 'live', outlivesLease: false },
  { lease: 'over', outlivesLease: true },
] as const

const both = [false, true] as const

const ofFingerprint = (fingerprint: 0 | 1): AbstractRecord[] => [
  ...befores.flatMap((before) =>
    times.flatMap((time) =>
      both.map((marked) => ({
        state: 'in_flight' as const,
        fingerprint,
        ...before,
        marked,
        ...time,
      })),
    ),
  ),
  ...([1, 2, 3] as const).map((attempt) => ({ state: 'completed' as const, fingerprint, attempt })),
  ...([1, 2, 3] as const).flatMap((attempt) =>
    both.flatMap((inDoubt) =>
      both.map((marked) => ({ state: 'failed' as const, fingerprint, attempt, inDoubt, marked })),
    ),
  ),
]

/** Every abstract record under its number. 0 is absent, and those of one fingerprint come before those of the other. */
export const records: readonly (AbstractRecord | undefined)[] = [
  undefined,
  ...ofFingerprint(0),
  ...ofFingerprint(1),
]

const nameOf = (record: AbstractRecord | undefined): string =>
  record ? JSON.stringify(Object.entries(record).sort()) : ''

const numbers = new Map(records.map((record, number) => [nameOf(record), number]))

/** Its number, or an error where the machine makes a record that there cannot be. */
export const numberOf = (record: AbstractRecord | undefined): number => {
  const number = numbers.get(nameOf(record))
  if (number === undefined) throw new Error(`No such record: ${JSON.stringify(record)}`)
  return number
}

/** The same record with the fingerprints exchanged, by number. */
export const withOtherFingerprint: readonly number[] = records.map((record) =>
  numberOf(record && { ...record, fingerprint: record.fingerprint === 0 ? 1 : 0 }),
)
