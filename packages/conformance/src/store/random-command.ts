import type { Claim } from '@retrysafe/core'
import type { ModelWrite } from '../model.js'
import { pick, type Random } from './random.js'
import { bytes } from './scene.js'

/** What can be asked of one record. */
export type Command =
  | { readonly verb: 'acquire'; readonly claim: Claim }
  | { readonly verb: 'write'; readonly write: ModelWrite }

const payloads = [new Uint8Array(), bytes('short'), Uint8Array.from([0, 255, 128, 10])]
// Halves of a second: where the clock arrives, in whole ones, no duration ends.
const leases = [500, 1500, 2500, 4500]
const retentions = [500, 1500, 3500, 6500, 20_500]

/**
 * Chooses commands on one record. `holder` is whose token stands: it is asked for more often than chance would
 * have it, beside tokens that were lost long ago and tokens that nobody ever had.
 */
export const randomCommands = (recordKey: string, random: Random) => {
  const tokens = ['never seen']
  let last: Command | undefined

  const tokenOf = (holder: string | undefined): string =>
    holder !== undefined && random(10) < 7 ? holder : pick(random, tokens)

  const newToken = (): string => {
    const token = `${recordKey}, token ${tokens.length}`
    tokens.push(token)
    return token
  }

  const claim = (holder: string | undefined): Claim => ({
    recordKey,
    token: random(10) < 7 ? newToken() : tokenOf(holder),
    fingerprint: random(8) === 0 ? 'other' : 'print',
    leaseMs: pick(random, leases),
    retentionMs: pick(random, retentions),
    takeover: random(2) === 0,
  })

  const write = (holder: string | undefined): ModelWrite => {
    const token = tokenOf(holder)
    const retentionMs = pick(random, retentions)
    const verb = pick(random, ['renew', 'renew', 'complete', 'fail', 'fail', 'release'] as const)
    switch (verb) {
      case 'renew': {
        const progress = random(2) === 0 ? {} : { progress: pick(random, payloads) }
        return { verb, token, leaseMs: pick(random, leases), ...progress }
      }
      case 'complete':
        return { verb, token, result: pick(random, payloads), retentionMs }
      case 'fail':
        return { verb, token, inDoubt: random(2) === 0, retentionMs }
      case 'release':
        return { verb, token }
    }
  }

  return (holder: string | undefined): Command => {
    const choice = random(20)
    // The answer was lost: the same command once more.
    if (choice < 3 && last) return last
    last =
      choice < 11
        ? { verb: 'acquire', claim: claim(holder) }
        : { verb: 'write', write: write(holder) }
    return last
  }
}
