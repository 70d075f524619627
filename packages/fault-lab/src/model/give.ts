import type { Acquisition, IdempotencyStore, WriteResult } from '@retrysafe/core'
import type { Command } from '../../../conformance/src/store/random-command.js'

/** Gives a command to a store, about the record. */
export const give = (
  store: IdempotencyStore,
  recordKey: string,
  command: Command,
): Promise<Acquisition | WriteResult> => {
  if (command.verb === 'acquire') return store.acquire({ ...command.claim, recordKey })
  const { token, ...write } = command.write
  const lease = { recordKey, token }
  switch (write.verb) {
    case 'renew': {
      const { leaseMs, progress } = write
      return store.renew(lease, progress ? { leaseMs, progress } : { leaseMs })
    }
    case 'complete':
      return store.complete(lease, { result: write.result, retentionMs: write.retentionMs })
    case 'fail':
      return store.fail(lease, { inDoubt: write.inDoubt, retentionMs: write.retentionMs })
    case 'release':
      return store.release(lease)
  }
}
