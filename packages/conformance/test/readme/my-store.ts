import type { IdempotencyStore } from '@retrysafe/core'
import { referenceStore, soundParts } from '../../src/reference-store.js'

/** Stands for the store of whoever reads the README. */
export const myStore = ({ now }: { readonly now: () => number }): IdempotencyStore =>
  referenceStore(soundParts(now))
