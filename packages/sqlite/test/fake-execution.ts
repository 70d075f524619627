import type { Ending, Lease, TransactionSide } from '@retrysafe/core'
import { withTransactionSide } from '../../core/src/transaction.js'

/** An execution whose transaction side writes down what it is told. */
export const fakeExecution = (
  lease: Lease | undefined,
  overrides: Partial<TransactionSide> = {},
): { readonly execution: object; readonly calls: string[] } => {
  const calls: string[] = []
  const side: TransactionSide = {
    lease,
    begin() {
      calls.push('begin')
      overrides.begin?.()
    },
    ending(returned): Ending {
      calls.push('ending')
      return overrides.ending?.(returned) ?? completed
    },
    async endingLater(returned) {
      return this.ending(returned)
    },
    committed(returned) {
      calls.push('committed')
      overrides.committed?.(returned)
    },
    rolledBack(reason) {
      calls.push(`rolled back: ${reason}`)
      overrides.rolledBack?.(reason)
    },
  }
  return { execution: withTransactionSide({}, side), calls }
}

/** How the fake ends unless it is told otherwise. */
const completed: Ending = {
  verb: 'complete',
  result: new TextEncoder().encode('answer'),
  retentionMs: 60_000,
}
