import type { InterleavingOutcome } from './compare-interleavings.js'
import type { Comparison, Disagreement } from './compare-sequences.js'
import { table, timeRows } from './contract-table.js'
import type { Enumeration } from './enumerate.js'
import type { Bounds } from './transitions.js'

const figure = (count: number): string => count.toLocaleString('en')

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** What is enumerated, in words. */
export const boundsInWords = ({ keys, callers, lateCalls, progress }: Bounds): string =>
  [
    many(keys, 'key'),
    many(callers, 'caller'),
    '2 fingerprints',
    'attempts to 3 and on',
    lateCalls === 0 ? 'no late calls' : `${many(lateCalls, 'late call')} at a time`,
    progress ? 'with progress' : 'without progress',
  ].join(', ')

/** Enumerations side by side: how many states and transitions each has, and how often it took each row. */
export const enumerationReport = (enumeration: Enumeration): string => {
  const { bounds, states, namedStates, transitions, rows, tookMs } = enumeration
  const taken = [...table.map(({ row }) => row), ...Object.values(timeRows)].map(
    (row) => `  ${figure(rows.get(row) ?? 0).padStart(12)}  ${row}`,
  )
  return [
    `${boundsInWords(bounds)}: ${seconds(tookMs)}`,
    `  ${figure(states)} states, which stand for ${figure(namedStates)}; ${figure(transitions)} transitions`,
    ...taken,
    '  every invariant holds in each',
    '',
  ].join('\n')
}

/** How a store has compared with the model, in figures and, where it differs, with what brings the difference back. */
export const comparisonReport = (
  store: string,
  terms: { readonly seed: number },
  compared: Comparison,
  interleaved: InterleavingOutcome,
): string => {
  const { sequences, commands, disagreements, repeated, tookMs } = compared
  const apart = interleaved.disagreement === undefined ? 0 : 1
  const late = repeated === 0 ? '' : `, ${figure(repeated)} batches once more, being late`
  return [
    `${store}, seed ${terms.seed}`,
    `  ${figure(sequences)} sequences, ${figure(commands)} commands, ${disagreements.length} disagreements, ${seconds(tookMs)}${late}`,
    ...disagreements.flatMap((one) => [
      `  DIFFERS  ${one.difference}`,
      `  again: ${again(store, one)}`,
    ]),
    `  ${figure(interleaved.runs)} interleavings, ${figure(interleaved.overlapping)} of them overlapping, ${figure(interleaved.commands)} commands, ${apart} disagreements, ${seconds(interleaved.tookMs)}`,
    ...(interleaved.disagreement === undefined ? [] : [`  DIFFERS  ${interleaved.disagreement}`]),
    '',
  ].join('\n')
}

const again = (store: string, { batch }: Disagreement): string =>
  `npm run model -- --no-enumeration --stores ${store} --interleavings 0 --seed ${batch.seed} --sequences ${batch.records}`
