import type { IdempotencyStore } from '@retrysafe/core'
import type { Model, ModelRecord } from '../../src/model.js'
import { type ReferenceParts, referenceStore, soundParts } from '../../src/reference-store.js'
import type { StoreHarness } from '../../src/store/harness.js'

/** One planted mistake: parts of the reference store replaced, or its handles wrapped. */
export interface Defect {
  readonly parts?: (sound: ReferenceParts) => Partial<ReferenceParts>
  /** Wraps each handle; parts are what all handles share. */
  readonly handle?: (store: IdempotencyStore, parts: ReferenceParts) => Partial<IdempotencyStore>
}

/** A harness of the reference store, with a defect or without one. */
export const referenceHarness = async (defect: Defect = {}): Promise<StoreHarness> => {
  let now = 0
  const sound = soundParts(() => now)
  const parts = { ...sound, ...defect.parts?.(sound) }
  const handles: IdempotencyStore[] = []
  return {
    open: async () => {
      const store = referenceStore(parts)
      handles.push(store)
      return { ...store, ...defect.handle?.(store, parts) }
    },
    advance: async (ms) => {
      now += ms
    },
    close: async () => {
      for (const store of handles) await store.close()
    },
  }
}

/** A defect in how the machine answers an acquire. Undefined is the sound answer. */
export const wrongAcquire = (
  acquire: (
    ...asked: [...Parameters<Model['acquire']>, sound: Model]
  ) => ReturnType<Model['acquire']> | undefined,
): Defect => ({
  parts: ({ model }) => ({
    model: {
      ...model,
      acquire: (held, claim, now) =>
        acquire(held, claim, now, model) ?? model.acquire(held, claim, now),
    },
  }),
})

/** A defect in how the machine takes a write. Undefined is the sound answer. */
export const wrongWrite = (
  write: (
    ...asked: [...Parameters<Model['write']>, sound: Model]
  ) => ReturnType<Model['write']> | undefined,
): Defect => ({
  parts: ({ model }) => ({
    model: {
      ...model,
      write: (held, asked, now) => write(held, asked, now, model) ?? model.write(held, asked, now),
    },
  }),
})

/** A defect in what the machine makes of a record that it writes. */
export const wrongRecord = (
  spoil: (next: ModelRecord, before: ModelRecord | undefined, now: number) => ModelRecord,
): Defect => ({
  parts: ({ model }) => {
    const spoilt = <Step extends { readonly next: ModelRecord | undefined }>(
      step: Step,
      before: ModelRecord | undefined,
      now: number,
    ): Step =>
      step.next && step.next !== before ? { ...step, next: spoil(step.next, before, now) } : step
    return {
      model: {
        ...model,
        acquire: (held, claim, now) => spoilt(model.acquire(held, claim, now), held, now),
        write: (held, asked, now) => spoilt(model.write(held, asked, now), held, now),
      },
    }
  },
})

/** Lets others in between the look at a record and the answer to it, wherever `when` says. */
export const wrongAtomicity = (
  when: (held: ModelRecord | undefined, now: number) => boolean,
): Defect => ({
  handle: (store, { records, now, model }) => ({
    acquire: async (claim) => {
      const held = records.get(claim.recordKey)
      if (!when(held, now())) return store.acquire(claim)
      await new Promise(setImmediate)
      const { next, answer } = model.acquire(held, claim, now())
      if (next) records.set(claim.recordKey, next)
      return answer
    },
  }),
})
