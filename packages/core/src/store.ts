/**
 * The port: what a store does. One atomic question, four writes under the owner's token.
 *
 * A store keeps bytes and text that it does not read: it knows nothing of HTTP. Durations go in, in
 * milliseconds, and run on the store's own clock, so that hosts whose clocks disagree still agree.
 * A call that fails rejects; `StoreError` with the code `store-full` says that there is no room, one that is
 * `unreadable` that it holds something it cannot read, any other error that it is out of reach; one that is `unasked`
 * that nothing of the call can have arrived or will.
 */
export interface IdempotencyStore {
  /**
   * Claims the record, or answers with what stands. Atomic over every caller in every process. Answers at
   * once: it never waits for a holder. Asked again with the token that holds the lease, it answers
   * `acquired` again and changes nothing.
   */
  acquire(claim: Claim): Promise<Acquisition>
  /**
   * Restarts the lease from now, and replaces the progress where one is given. Never shortens the life of
   * the record.
   */
  renew(lease: Lease, terms: RenewTerms): Promise<WriteResult>
  /** Keeps the result for `retentionMs` from now and ends the lease. A completed result never changes. */
  complete(lease: Lease, terms: CompleteTerms): Promise<WriteResult>
  /** Ends the lease and keeps fingerprint, attempt and progress for `retentionMs` from now: the key may run again. */
  fail(lease: Lease, terms: FailTerms): Promise<WriteResult>
  /** Forgets the record, as if the key had never been seen. */
  release(lease: Lease): Promise<WriteResult>
  /** What stands now; expired is `undefined`. For operators, waiters and lost answers, never to decide who runs. */
  read(recordKey: string): Promise<IdempotencyRecord | undefined>
  /** Resolves when the record may have changed. May resolve early; a change may be missed. */
  changed?(recordKey: string, signal: AbortSignal): Promise<void>
  /** Removes at most `limit` expired records and answers how many it removed. */
  purgeExpired(limit: number): Promise<number>
  /** Ends the store's timers and closes what it opened. What it was handed stays open. Calls after it reject. */
  close(): Promise<void>
  /** How the store's `transaction()` runs its work, where it has one: what wraps a result must keep up with it. */
  readonly transactions?: 'synchronous'
  /** Hears what the store has to tell an operator. Answers the function that ends it. */
  watch?(listener: (notice: StoreNotice) => void): () => void
}

/** What one has: the record and the token that core made for this one acquisition. */
export interface Lease {
  readonly recordKey: string
  readonly token: string
}

/** What one asks for. */
export interface Claim extends Lease {
  /** Compared as text; where it differs, the answer is `exists` and the core compares further. */
  readonly fingerprint: string
  /** How long the lease lasts without a renewal, from now. */
  readonly leaseMs: number
  /** How long the record lives at least, from now, whatever becomes of its holder. */
  readonly retentionMs: number
  /** Whether a record that is abandoned or failed in doubt may be taken over. Without it, it is answered as it stands. */
  readonly takeover: boolean
}

export interface RenewTerms {
  readonly leaseMs: number
  /** Opaque; outlives failure and takeover. */
  readonly progress?: Uint8Array
}

/** What a bounded store keeps free for the result of every lease it has given, in bytes: so much always finds room. */
export const reservedBytes = 256

export interface CompleteTerms {
  readonly result: Uint8Array
  readonly retentionMs: number
}

export interface FailTerms {
  readonly retentionMs: number
  /** Whether the attempt may have had effects: then only a claim with `takeover` acquires the record. */
  readonly inDoubt: boolean
}

export type Acquisition =
  | {
      readonly kind: 'acquired'
      /** 1 for a record that was absent, one more than the last for one that was failed or abandoned. */
      readonly attempt: number
      readonly after: 'nothing' | 'failed' | 'abandoned'
      readonly progress?: Uint8Array
    }
  | { readonly kind: 'exists'; readonly record: IdempotencyRecord }

/**
 * `ok`: written, or written before by this very call; `stale`: another token holds the record, or this one has
 * ended it otherwise; `gone`: there is no record.
 */
export type WriteResult = 'ok' | 'stale' | 'gone'

export type IdempotencyRecord = {
  readonly fingerprint: string
  readonly attempt: number
  readonly token: string
} & (
  | {
      readonly state: 'in_flight'
      /** 0: the lease is over, the record abandoned. */
      readonly leaseRemainingMs: number
      readonly progress?: Uint8Array
    }
  | { readonly state: 'completed'; readonly result: Uint8Array; readonly remainingMs: number }
  | {
      readonly state: 'failed'
      readonly inDoubt: boolean
      readonly remainingMs: number
      readonly progress?: Uint8Array
    }
)

export type StoreNotice =
  /** A completed record was given up to make room. */
  | { readonly kind: 'evicted'; readonly recordKey: string }
  /** Something about the set-up weakens what the store promises. */
  | { readonly kind: 'warning'; readonly message: string }
