import type { Outcome } from './kill-loop.js'
import { type Place, places } from './kill-point.js'
import { faultsOf, findingsOf } from './verdict.js'

const means = {
  transaction: "effects in the store's transaction",
  lease: 'with the lease alone',
} as const

/** A loop in words and figures, for a terminal. */
export const reportOf = (outcome: Outcome): string => {
  const { arena, terms, again, tookMs } = outcome
  const { keys, effects, doubled, astray, unlike, lost } = findingsOf(outcome)
  const kills = [...outcome.hits.values()].reduce((sum, count) => sum + count, 0)
  const resent = [...again].sort().map(([why, count]) => `${count} for ${why}`)
  const faults = faultsOf(outcome)
  return [
    `${arena}, ${means[terms.means]}: ${kills} kills, seed ${terms.seed}, ${(tookMs / 1000).toFixed(1)} s`,
    ...histogramOf(outcome),
    `  ${keys} keys, ${effects} effects: ${doubled.length} keys doubled, ${astray.length} without effect or astray`,
    `  ${unlike.length} keys answered in two ways, ${lost.length} acknowledged answers lost`,
    `  sent again: ${resent.join(', ') || 'never'}`,
    ...faults.map((fault) => `  FAULT  ${fault}`),
    `  ${faults.length === 0 ? 'holds' : 'DOES NOT HOLD'}`,
    '',
  ].join('\n')
}

const histogramOf = ({ hits }: Outcome): string[] => {
  const most = Math.max(...hits.values())
  return (Object.keys(places) as Place[])
    .filter((place) => hits.has(place))
    .map((place) => {
      const count = hits.get(place) ?? 0
      const bar = '#'.repeat(Math.ceil((count / most) * 20))
      return `  ${String(count).padStart(4)}  ${bar.padEnd(20)}  ${places[place].where}`
    })
}
