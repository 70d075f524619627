import type { Acquisition, IdempotencyStore, WriteResult } from '@retrysafe/core'
import type { ModelWrite } from '../model.js'
import type { Command } from './random-command.js'

/** Gives a command to a store, about the record. */
export const give = (
  store: IdempotencyStore,
  recordKey: string,
  command: Command,
): Promise<Acquisition | WriteResult> =>
  command.verb === 'acquire'
    ? store.acquire({ ...command.claim, recordKey })
    : write(store, recordKey, command.write)

const write = (
  store: IdempotencyStore,
  recordKey: string,
  asked: ModelWrite,
): Promise<WriteResult> => {
  const lease = { recordKey, token: asked.token }
  switch (asked.verb) {
    case 'renew': {
      const { leaseMs, progress } = asked
      return store.renew(lease, progress ? { leaseMs, progress } : { leaseMs })
    }
    case 'complete':
      return store.complete(lease, { result: asked.result, retentionMs: asked.retentionMs })
    case 'fail':
      return store.fail(lease, { inDoubt: asked.inDoubt, retentionMs: asked.retentionMs })
    case 'release':
      return store.release(lease)
  }
}
