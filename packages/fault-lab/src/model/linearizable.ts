import type { Acquisition, IdempotencyRecord, WriteResult } from '@retrysafe/core'
import { type ModelRecord, model } from '../../../conformance/src/model.js'
import { sameAcquisition, sameRecord } from '../../../conformance/src/store/compare.js'
import type { Command } from '../../../conformance/src/store/random-command.js'

/** A command that was given and answered; both moments are places in the order of all such moments. */
export interface Given {
  readonly caller: number
  readonly command: Command
  readonly answer: Acquisition | WriteResult
  readonly askedAt: number
  readonly answeredAt: number
}

/** What was seen of one record: how it stood, what was asked of it side by side, and what was left. */
export interface History {
  readonly before: ModelRecord | undefined
  readonly given: readonly Given[]
  readonly left: IdempotencyRecord | undefined
  /** On the model's clock, which stands still meanwhile. */
  readonly now: number
}

const isSame = (compare: () => void): boolean => {
  try {
    compare()
    return true
  } catch {
    return false
  }
}

/** What the record becomes where the command is answered as it was; `false` where the model answers otherwise. */
const after = (held: ModelRecord | undefined, { command, answer }: Given, now: number) => {
  if (command.verb === 'acquire') {
    const step = model.acquire(held, command.claim, now)
    const agrees = typeof answer === 'object' && isSame(() => sameAcquisition(answer, step.answer))
    return agrees && { next: step.next }
  }
  const step = model.write(held, command.write, now)
  return answer === step.answer && { next: step.next }
}

/**
 * Whether some order of the commands, one after the other, gives the answers that were given and the record that was
 * left. A command that was answered before another was asked comes before it.
 */
export const isLinearizable = ({ before, given, left, now }: History): boolean => {
  const search = (held: ModelRecord | undefined, rest: readonly Given[]): boolean => {
    if (rest.length === 0) return isSame(() => sameRecord(left, model.read(held, now)))
    const firstAnswer = Math.min(...rest.map(({ answeredAt }) => answeredAt))
    return rest.some((one) => {
      if (one.askedAt > firstAnswer) return false
      const step = after(held, one, now)
      return (
        step &&
        search(
          step.next,
          rest.filter((other) => other !== one),
        )
      )
    })
  }
  return search(before, given)
}
