import { setTimeout as delay } from 'node:timers/promises'
import type { ComparedHarness } from './compared-store.js'

// In a comparison durations end half a second away from where the clock arrives.
const roomMs = 450

/**
 * A clock that is nobody's to set, and is waited for. It begins within a second, and arrives, whenever it goes on by
 * whole seconds, at the same place within one: where each has another place, their loads do not meet.
 */
export const realClock = async (
  place: number,
): Promise<Pick<ComparedHarness, 'advance' | 'pass' | 'isLate'>> => {
  await delay((1000 + place * 1000 - (performance.now() % 1000)) % 1000)
  const startedAt = performance.now()
  let advancedMs = 0
  let wasLate = false
  const isLate = (): boolean => {
    wasLate ||= performance.now() - startedAt - advancedMs > roomMs
    return wasLate
  }
  return {
    isLate,
    advance: async (ms) => {
      isLate()
      advancedMs += ms
      await delay(startedAt + advancedMs - performance.now())
    },
    pass: async (ms) => {
      await delay(ms)
    },
  }
}
