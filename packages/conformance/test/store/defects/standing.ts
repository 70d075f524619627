import type { ModelRecord } from '../../../src/model.js'

/** Past its life: absent, for every sound store. */
export const isOver = (held: ModelRecord | undefined, now: number): boolean =>
  held !== undefined && now >= held.endsAt

/** In flight, its lease over, its life not. */
export const isAbandoned = (held: ModelRecord | undefined, now: number): boolean =>
  held?.state === 'in_flight' && now >= held.leaseEndsAt && !isOver(held, now)

/** The record as if no holder had ever left progress. */
export const withoutProgress = (record: ModelRecord): ModelRecord => {
  const { progress: _, ...rest } = record
  return rest as ModelRecord
}
