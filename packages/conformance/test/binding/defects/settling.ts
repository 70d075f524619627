import {
  type Execution,
  type GivenAnswer,
  type HeldAnswer,
  unprotectedExecution,
} from '@retrysafe/core'
import { forgets, without, wrongEnding, wrongExecution, wrongOptions } from '../defect.js'
import type { Defect } from '../reference-harness.js'

/** Runs what was refused because it is in flight, once more, when it has waited for it. */
const impatient: Defect = () => ({
  begin: async (begin) => {
    const begun = await begin()
    const isRefused = begun.kind === 'reply' && begun.reply.status === 409
    return isRefused ? begin() : begun
  },
})
const inTheClear = wrongOptions(({ codec }) => (codec === undefined ? {} : { codec: undefined }))
const blind: Defect = () => ({
  operations: (operations) => ({ ...operations, inspect: async () => ({ state: 'absent' }) }),
})
const deaf: Defect = () => ({
  operations: (operations) => ({ ...operations, resolve: async () => 'resolved' }),
})
const neverWaits = wrongOptions(({ onInFlight }) =>
  onInFlight?.waitMs === undefined ? {} : { onInFlight: {} },
)
const neverAsks = wrongOptions(({ onDoubt }) =>
  typeof onDoubt === 'function' ? { onDoubt: 'run-again' } : {},
)

/** An error of a callback is swallowed, and the handler runs. */
const runsDespite: Defect = () => ({
  begin: async (begin) => {
    try {
      return await begin()
    } catch (error) {
      if ((error as Error).message !== 'the provider is down') throw error
      return { kind: 'bypass', http: unprotectedExecution() }
    }
  },
})
/** Of a transaction, the part that the binding holds the answer with. */
const wrongHold = (
  change: (held: HeldAnswer, execution: Execution) => Partial<HeldAnswer>,
): Defect =>
  wrongExecution((http) => ({
    lend: (held) => http.lend({ ...held, ...change(held, http.execution) }),
  }))
const forgetsTheRollback = wrongHold((held, execution) => ({
  restore: () => {
    held.restore()
    execution.release()
  },
}))

const nothingAtAll: GivenAnswer = {
  status: 200,
  headers: [],
  outerHeaders: [],
  body: new Uint8Array(),
  unmatched: false,
}
/** What core says is to be sent in place of an answer is not sent, after an error of a transaction. */
const strikesInTransactions = (isStruck: (status: number) => boolean): Defect =>
  wrongEnding(async (http, answer) => {
    const instead = await http.finish(answer)
    const isThrown = Buffer.from(answer.body ?? '').includes(' ')
    return isThrown && instead && isStruck(instead.status) ? undefined : instead
  })

/** Bindings that settle nothing, show what is stored, or give no answer of a transaction. */
export const settling: { readonly [guarantee: string]: Defect } = {
  'a duplicate that waits gets the answer of the first, and runs nothing': neverWaits,
  'a duplicate that waits for a first that fails is refused, and runs nothing': impatient,
  'a duplicate that waits leaves when its client does, and makes room for another': () => ({
    request: (request) => ({ ...request, whenGone: () => () => {} }),
  }),
  'a function as onDoubt finds out first, and what it finds is kept': neverAsks,
  'what onDoubt throws reaches the error handling of the application, and the key stays in doubt':
    runsDespite,
  'an operator sees what stands under a key': blind,
  'an operator ends a doubt with an answer, or lets the key run again': deaf,
  'an encrypted answer is not to be read in the store, and is replayed': inTheClear,
  'an encrypted answer that was moved to another key is refused, and nothing runs': inTheClear,
  'onReplay makes a replay afresh, and it is marked as one': forgets('onReplay'),
  'the answer that a transaction returns is given when it is committed, and replayed': wrongHold(
    (held) => ({
      given: (returned) => {
        const given = held.given(returned)
        return given && { ...given, ...without(given, 'location') }
      },
    }),
  ),
  'a transaction that is rolled back leaves the answer to the error handling, and runs again':
    forgetsTheRollback,
  'a commit that fails leaves nothing of the answer, and what the error makes is kept by its status':
    forgetsTheRollback,
  'nothing of an answer leaves before its transaction is committed': wrongHold((held) => ({
    given: (returned) => {
      const given = held.given(returned)
      held.letGo(returned)
      return given
    },
  })),
  'an answer of any status is kept with the effects that it was committed with': wrongHold(
    (held, execution) => ({
      given: (returned) => {
        const given = held.given(returned)
        if (given && given.status >= 500) execution.fail()
        return given
      },
    }),
  ),
  'work that gives no answer is rolled back, and runs again': wrongHold((held) => ({
    given: (returned) => held.given(returned) ?? nothingAtAll,
  })),
  'work whose lease was lost does not run, and its client gets what stands': strikesInTransactions(
    (status) => status === 201,
  ),
  'work whose record is gone does not run, and its client is told to ask again':
    strikesInTransactions((status) => status === 503),
}
