import { asked, withDeadline } from './deadline.js'
import type { CommonSettings } from './settings.js'
import type { Acquisition, Claim } from './store.js'

/** What keeps a lease, and the progress that its record is to have. */
export interface Renewing {
  /** `lost` only where the store has said so; a store that fails rejects. */
  renew(): Promise<'renewed' | 'lost'>
  /** After the store has lost the record: ours again, unless somebody was faster. */
  claimAgain(): Promise<boolean>
  /** Marks that effects have happened; resolves when that is stored. */
  mark(): Promise<'renewed' | 'lost'>
  readonly isMarked: boolean
  /** Resolves when no claim after a loss is under way: an ending waits for it, lest it come after. */
  settled(): Promise<void>
}

export interface RenewingTerms {
  readonly settings: CommonSettings
  readonly claim: Claim
  readonly progress: Uint8Array | undefined
  /** Claims once more under the same token, without taking over. */
  readonly acquireAgain: () => Promise<Acquisition>
  /** Whether the ending is on its way: it may be a release, which a claim would undo with nobody to end it. */
  readonly isEnding: () => boolean
}

export const createRenewing = ({
  settings: { store, leaseMs, retentionMs, storeTimeoutMs },
  claim,
  progress,
  acquireAgain,
  isEnding,
}: RenewingTerms): Renewing => {
  let marked = progress?.length ? progress : undefined
  let unsaved: Uint8Array | undefined
  let reclaiming: Promise<boolean> | undefined

  const claimAgain = async (): Promise<boolean> => {
    const again = await acquireAgain()
    if (again.kind !== 'acquired') return false
    if (again.after !== 'nothing') {
      // Somebody was, and has failed: the attempt is given back as it was found.
      await withDeadline(
        asked(() => store.fail(claim, { retentionMs, inDoubt: false })),
        storeTimeoutMs,
      ).catch(() => {})
      return false
    }
    unsaved ??= marked
    return true
  }

  const renew = async (): Promise<'renewed' | 'lost'> => {
    const saved = unsaved
    const result = await withDeadline(
      asked(() => store.renew(claim, saved ? { leaseMs, progress: saved } : { leaseMs })),
      storeTimeoutMs,
    )
    if (result === 'ok') {
      if (unsaved === saved) unsaved = undefined
      return 'renewed'
    }
    if (result !== 'gone' || isEnding()) return 'lost'
    reclaiming = claimAgain()
    return (await reclaiming) ? 'renewed' : 'lost'
  }

  return {
    renew,
    claimAgain,
    mark: async () => {
      if (marked !== undefined && unsaved === undefined) return 'renewed'
      marked = effectsMark
      unsaved = effectsMark
      // The second turn is for a record that was lost: claiming it again has left the mark unsaved.
      for (let turn = 0; turn < 2 && unsaved !== undefined; turn++) {
        if ((await renew()) === 'lost') return 'lost'
      }
      return 'renewed'
    },
    get isMarked() {
      return marked !== undefined
    },
    settled: async () => {
      await reclaiming?.catch(() => false)
    },
  }
}

/** The progress of an attempt whose effects have happened: a version, and the mark. */
const effectsMark = Uint8Array.of(1, 1)
