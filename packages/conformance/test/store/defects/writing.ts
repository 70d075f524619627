import type { ModelRecord } from '../../../src/model.js'
import { type Defect, wrongRecord, wrongWrite } from '../defect.js'
import { isAbandoned, isOver } from './standing.js'

/** A writer of this verb whose token is not looked at while the record is in this state. */
const tokenIgnored = (
  verb: 'renew' | 'complete' | 'fail' | 'release',
  state: ModelRecord['state'] = 'in_flight',
): Defect =>
  wrongWrite((held, asked, now, sound) =>
    held?.state === state && asked.verb === verb && !isOver(held, now)
      ? sound.write(held, { ...asked, token: held.token }, now)
      : undefined,
  )

/** A holder that is refused because its lease is over, though nobody took it. */
const judgedByTheClock = (verb: 'renew' | 'complete' | 'fail' | 'release'): Defect =>
  wrongWrite((held, asked, now) =>
    asked.verb === verb && isAbandoned(held, now) ? { next: held, answer: 'stale' } : undefined,
  )

/** Stores that take the writes of holders wrongly. */
export const writing: { readonly [guarantee: string]: Defect } = {
  // How a holder stays one.
  'a renewal restarts the lease from now': wrongRecord((next, before) =>
    next.state === 'in_flight' && before?.state === 'in_flight' && next.token === before.token
      ? { ...next, leaseEndsAt: Math.max(before.leaseEndsAt, next.leaseEndsAt - 1000) }
      : next,
  ),
  'a renewal never shortens the life of the record': wrongRecord((next, before) =>
    next.state === 'in_flight' && before?.token === next.token
      ? { ...next, endsAt: next.leaseEndsAt }
      : next,
  ),
  'a renewal keeps the record where its lease outlasts the retention': wrongRecord(
    (next, before) =>
      next.state === 'in_flight' && before?.token === next.token
        ? { ...next, endsAt: before.endsAt }
        : next,
  ),
  'the holder whose lease is over may renew it, as long as nobody took over':
    judgedByTheClock('renew'),

  // How it ends.
  'a completed record keeps its result, fingerprint and attempt': wrongRecord((next) =>
    next.state === 'completed' ? { ...next, attempt: 0 } : next,
  ),
  'a failed record keeps fingerprint and attempt, and whether it is in doubt': {
    handle: (store) => ({
      read: async (recordKey) => {
        const record = await store.read(recordKey)
        return record?.state === 'failed' ? { ...record, inDoubt: false } : record
      },
    }),
  },
  'a released record is forgotten, with its attempts and progress': wrongWrite((held, asked) =>
    asked.verb === 'release' && held?.token === asked.token && held.attempt > 1
      ? {
          next: { ...held, state: 'failed', inDoubt: false },
          answer: 'ok',
        }
      : undefined,
  ),
  'a write to a record that is not there answers gone and makes none': wrongWrite(
    (held, asked, now) =>
      !held && asked.verb === 'complete'
        ? {
            next: {
              state: 'completed',
              fingerprint: '',
              attempt: 1,
              token: asked.token,
              result: asked.result,
              endsAt: now + asked.retentionMs,
            },
            answer: 'ok',
          }
        : undefined,
  ),
  'the holder whose lease is over may complete, as long as nobody took over':
    judgedByTheClock('complete'),
  'the holder whose lease is over may fail, as long as nobody took over': judgedByTheClock('fail'),
  'the holder whose lease is over may release, as long as nobody took over':
    judgedByTheClock('release'),

  // Answers that were lost.
  'a completion told again is ok and changes nothing': wrongWrite((held, asked, now, sound) => {
    const step = sound.write(held, asked, now)
    return held?.state === 'completed' && asked.verb === 'complete' && step.answer === 'ok'
      ? { next: { ...held, endsAt: now + asked.retentionMs }, answer: 'ok' }
      : step
  }),
  'a failure told again is ok and changes nothing': wrongWrite((held, asked, now, sound) => {
    const step = sound.write(held, asked, now)
    return held?.state === 'failed' && step.answer === 'ok' ? { next: held, answer: 'stale' } : step
  }),
  'a completion with another result is stale': wrongWrite((held, asked) =>
    held?.state === 'completed' && asked.verb === 'complete' && held.token === asked.token
      ? { next: { ...held, result: asked.result }, answer: 'ok' }
      : undefined,
  ),
  'a holder that has completed can neither renew, fail nor release': wrongWrite((held, asked) =>
    held?.state === 'completed' && asked.verb === 'release' && held.token === asked.token
      ? { next: undefined, answer: 'ok' }
      : undefined,
  ),
  'a holder that has failed can neither renew, complete, release nor fail otherwise': wrongWrite(
    (held, asked) =>
      held?.state === 'failed' && asked.verb === 'fail' && held.token === asked.token
        ? { next: { ...held, inDoubt: asked.inDoubt }, answer: 'ok' }
        : undefined,
  ),

  // Writers that lost their lease.
  'a late completion by a holder that lost its lease changes nothing': tokenIgnored('complete'),
  'a late failure by a holder that lost its lease changes nothing': tokenIgnored('fail'),
  'a late release by a holder that lost its lease changes nothing': tokenIgnored('release'),
  'a late renewal by a holder that lost its lease changes nothing': tokenIgnored('renew'),
  'a late write leaves the result of the winner alone': tokenIgnored('complete', 'completed'),
  'a late write leaves the failure of the winner alone': tokenIgnored('fail', 'failed'),
}
