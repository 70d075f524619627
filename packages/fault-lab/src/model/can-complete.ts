import { records } from './abstract-record.js'
import type { RecordSteps } from './record-steps.js'

/**
 * From every record some path ends in completed, whatever the callers are at: any of them can crash and begin again,
 * with any key and fingerprint, and neither touches the record. Throws where there is none. The holder comes there by
 * itself, and others by waiting: with takeover until the lease is over at most, without it until the record is.
 */
export const canComplete = ({ step, pass }: RecordSteps, record: number): void => {
  const completes = (at: number): boolean =>
    records[step(at, true, { verb: 'complete' }).next]?.state === 'completed'
  const stuck = (who: string) =>
    new Error(`Broken: from every record some path ends in completed, ${who} from ${record}`)

  const state = records[record]?.state
  if (state === 'in_flight' && !completes(record)) throw stuck('the holder')
  for (const takeover of [true, false]) {
    let at = record
    // The longest wait is for a lease, and for the retention after it.
    for (let waits = 0; records[at]?.state !== 'completed'; waits++) {
      if (waits > (takeover ? 1 : 2)) throw stuck(takeover ? 'by takeover' : 'without takeover')
      const fingerprint = records[at]?.fingerprint ?? 0
      const { heard, next } = step(at, false, {
        verb: 'acquire',
        fingerprint,
        takeover,
        outlives: true,
      })
      if (heard === 'exists') at = pass(at).next
      else if (completes(next)) break
      else throw stuck('a new holder')
    }
  }
}
