import type { StoreHarness } from '@retrysafe/conformance'

export const storeNames = ['memory', 'sqlite', 'redis', 'postgres'] as const
export type StoreName = (typeof storeNames)[number]

/** A harness that says when its clock cannot be relied on. */
export interface ComparedHarness extends StoreHarness {
  /**
   * Whether calls have come, or been answered, so late that durations have run out which should not have: then a
   * difference says nothing. Never, where the clock is set.
   */
  isLate(): boolean
  /** Lets so much time pass for the store, from now on, and hardly more. */
  pass(ms: number): Promise<void>
}

/** A store that is held against the model. */
export interface ComparedStore {
  readonly name: StoreName
  /** How many records live side by side in a batch, and how many batches do at first. */
  readonly recordsPerBatch: number
  readonly batchesAtOnce: number
  /**
   * An empty store, on connections that are open.
   *
   * @param place From 0 up to and without 1: where within a second its clock arrives, if it is waited for.
   */
  open(place: number): Promise<ComparedHarness>
  close(): Promise<void>
}
