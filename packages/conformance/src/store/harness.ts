import type { IdempotencyStore } from '@retrysafe/core'
import type { Guarantee } from '../guarantee.js'
import type { StorePoint } from './points.js'

/** What a suite needs of a store under proof: handles on one set of data, empty at first, and a clock. */
export interface StoreHarness {
  /**
   * Another handle on the same data: another connection, as another process would have it. A store that has but
   * one handle (memory) answers with that one.
   */
  open(): Promise<IdempotencyStore>
  /**
   * The store's clock goes on by at least so many milliseconds, and by less than half a second more. A clock
   * that cannot be set is waited for, from the moment that the harness was made: until the sum of all advances
   * has passed, so that the time that calls take does not add up.
   */
  advance(ms: number): Promise<void>
  /** Closes every handle that is still open, and removes the data. */
  close(): Promise<void>
}

/** A guarantee of every store. */
export type StoreGuarantee = Guarantee<StoreHarness, StorePoint>
