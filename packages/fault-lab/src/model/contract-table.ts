import assert from 'node:assert/strict'
import type { Acquisition, Claim, WriteResult } from '@retrysafe/core'
import type { ModelRecord, ModelStep, ModelWrite } from '../../../conformance/src/model.js'

/** A call at an instant, and the record that it finds: one that is over is absent. */
export type Asked = { readonly held: ModelRecord | undefined; readonly now: number } & (
  | { readonly verb: 'acquire'; readonly claim: Claim }
  | { readonly verb: 'write'; readonly write: ModelWrite }
)

export type Step = ModelStep<Acquisition | WriteResult>

/** A row of the behaviour contract's table of the machine: where it applies, and what it says. */
interface Row {
  readonly row: string
  readonly applies: (asked: Asked) => boolean
  /** Throws where the step is another. */
  readonly says: (asked: Asked, step: Step) => void
}

const acquire = (
  row: string,
  applies: (held: ModelRecord | undefined, claim: Claim, now: number) => boolean,
  says: (step: Step, asked: Asked & { readonly verb: 'acquire' }) => void,
): Row => ({
  row,
  applies: (asked) => asked.verb === 'acquire' && applies(asked.held, asked.claim, asked.now),
  says: (asked, step) => {
    if (asked.verb === 'acquire') says(step, asked)
  },
})

const write = (
  row: string,
  applies: (held: ModelRecord | undefined, asked: ModelWrite) => boolean,
  says: (step: Step, held: ModelRecord | undefined, asked: ModelWrite) => void,
): Row => ({
  row,
  applies: (asked) => asked.verb === 'write' && applies(asked.held, asked.write),
  says: (asked, step) => {
    if (asked.verb === 'write') says(step, asked.held, asked.write)
  },
})

const begins =
  (after: 'nothing' | 'failed' | 'abandoned') =>
  (step: Step, { held, claim, now }: Asked & { readonly verb: 'acquire' }): void => {
    const { next, answer } = step
    const attempt = (held?.attempt ?? 0) + 1
    assert(typeof answer === 'object' && answer.kind === 'acquired')
    assert.deepEqual([answer.attempt, answer.after], [attempt, after])
    assert(next?.state === 'in_flight')
    assert.deepEqual(
      [next.attempt, next.after, next.token, next.fingerprint, next.progress, answer.progress],
      [attempt, after, claim.token, claim.fingerprint, held?.progress, held?.progress],
    )
    assert.equal(next.leaseEndsAt, now + claim.leaseMs)
  }

const stands = (step: Step, { held }: Asked): void => {
  const { next, answer } = step
  assert.deepEqual(next, held)
  assert(typeof answer === 'object' && answer.kind === 'exists')
  assert.deepEqual([answer.record.state, answer.record.token], [held?.state, held?.token])
}

const answers =
  (expected: WriteResult) =>
  ({ next, answer }: Step, held: ModelRecord | undefined): void => {
    assert.equal(answer, expected)
    assert.deepEqual(next, held)
  }

const becomes =
  (state: ModelRecord['state'] | undefined) =>
  ({ next, answer }: Step, held: ModelRecord | undefined): void => {
    assert.equal(answer, 'ok')
    assert.equal(next?.state, state)
    if (!next) return
    assert.deepEqual(
      [next.token, next.fingerprint, next.attempt],
      [held?.token, held?.fingerprint, held?.attempt],
    )
  }

const isOwn = (held: ModelRecord | undefined, asked: { readonly token: string }): boolean =>
  held?.token === asked.token

const inFlight = (verb: ModelWrite['verb']) => (held: ModelRecord | undefined, asked: ModelWrite) =>
  held?.state === 'in_flight' && isOwn(held, asked) && asked.verb === verb

const isSame = (held: ModelRecord, asked: ModelWrite): boolean =>
  held.state === 'completed'
    ? asked.verb === 'complete' && Buffer.compare(asked.result, held.result) === 0
    : held.state === 'failed' && asked.verb === 'fail' && asked.inDoubt === held.inDoubt

const isEnded = (held: ModelRecord | undefined, asked: ModelWrite): held is ModelRecord =>
  held !== undefined && held.state !== 'in_flight' && isOwn(held, asked)

/** What becomes of a record with time. The calls are in `table`; these are nobody's. */
export const timeRows = {
  ended: 'completed, failed: retention over',
  abandoned: 'in_flight: lease and retention over',
} as const

/** The table, written down once more and apart from the model that it is held against. The first that applies. */
export const table: readonly Row[] = [
  acquire('absent: acquire', (held) => !held, begins('nothing')),
  acquire(
    'any, other fingerprint: acquire',
    (held, claim) => held?.fingerprint !== claim.fingerprint,
    stands,
  ),
  acquire(
    'in_flight, own token: acquire',
    (held, claim) => held?.state === 'in_flight' && isOwn(held, claim),
    ({ next, answer }, { held }) => {
      assert.deepEqual(next, held)
      assert(typeof answer === 'object' && answer.kind === 'acquired')
      assert.equal(answer.attempt, held?.attempt)
    },
  ),
  acquire(
    'in_flight, lease live: acquire',
    (held, _, now) => held?.state === 'in_flight' && now < held.leaseEndsAt,
    stands,
  ),
  acquire(
    'in_flight, lease over, takeover: acquire',
    (held, { takeover }) => held?.state === 'in_flight' && takeover,
    begins('abandoned'),
  ),
  acquire(
    'failed, not in doubt or takeover: acquire',
    (held, { takeover }) => held?.state === 'failed' && (!held.inDoubt || takeover),
    begins('failed'),
  ),
  acquire(
    'abandoned or in doubt, no takeover: acquire',
    (held) => held?.state === 'in_flight' || held?.state === 'failed',
    stands,
  ),
  acquire('completed: acquire', (held) => held?.state === 'completed', stands),
  write('in_flight, own token: renew', inFlight('renew'), (step, held, asked) => {
    becomes('in_flight')(step, held)
    assert(step.next && held && step.next.endsAt >= held.endsAt)
    const brought = asked.verb === 'renew' ? asked.progress : undefined
    assert.deepEqual(step.next.progress, brought ?? held.progress)
  }),
  write('in_flight, own token: complete', inFlight('complete'), (step, held, asked) => {
    becomes('completed')(step, held)
    assert(step.next?.state === 'completed' && asked.verb === 'complete')
    assert.deepEqual(step.next.result, asked.result)
  }),
  write('in_flight, own token: fail', inFlight('fail'), (step, held, asked) => {
    becomes('failed')(step, held)
    assert(step.next?.state === 'failed' && asked.verb === 'fail')
    assert.deepEqual([step.next.inDoubt, step.next.progress], [asked.inDoubt, held?.progress])
  }),
  write('in_flight, own token: release', inFlight('release'), becomes(undefined)),
  write(
    'completed, failed, own token: the same write',
    (held, asked) => isEnded(held, asked) && isSame(held, asked),
    answers('ok'),
  ),
  write('completed, failed, own token: another write', isEnded, answers('stale')),
  write('present, other token: any write', (held) => held !== undefined, answers('stale')),
  write('absent: any write', (held) => !held, answers('gone')),
]

/** The row that applies, after seeing that the step is what it says. */
export const rowOf = (asked: Asked, step: Step): string => {
  const row = table.find(({ applies }) => applies(asked)) as Row
  try {
    row.says(asked, step)
  } catch (cause) {
    const difference = cause instanceof Error ? cause.message.split('\n')[0] : String(cause)
    throw new Error(`Not as the table has it, "${row.row}": ${difference}`, { cause })
  }
  return row.row
}
