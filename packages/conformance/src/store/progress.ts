import { sameBytes } from './compare.js'
import { everyByte } from './fidelity.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, finds, inState, leaseOf, long } from './scene.js'

/** What a holder left behind for those who come after it. */
export const progress: readonly StoreGuarantee[] = [
  {
    name: 'progress is replaced by a renewal that brings one, and kept by one that brings none',
    points: ['1: in_flight, own token, renew', '14'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('at work')
      await acquires(store, holder)
      await store.renew(leaseOf(holder), { leaseMs: long, progress: bytes('one') })
      await store.renew(leaseOf(holder), { leaseMs: long, progress: bytes('two') })
      await store.renew(leaseOf(holder), { leaseMs: long })
      sameBytes(inState(await store.read('at work'), 'in_flight').progress, bytes('two'))
      sameBytes((await acquires(store, holder)).progress, bytes('two'))
    },
  },
  {
    name: 'progress outlives a failure',
    points: ['1: in_flight, own token, fail', '14'],
    check: async (harness) => {
      const store = await harness.open()
      const failed = claimOn('failed half way')
      await acquires(store, failed)
      await store.renew(leaseOf(failed), { leaseMs: long, progress: bytes('half') })
      await store.fail(leaseOf(failed), { inDoubt: true, retentionMs: long })
      const record = await finds(store, claimOn('failed half way'))
      sameBytes(inState(record, 'failed').progress, bytes('half'))
      const next = await acquires(store, claimOn('failed half way', { takeover: true }))
      sameBytes(next.progress, bytes('half'))
    },
  },
  {
    name: 'progress outlives a takeover',
    points: ['1: in_flight, lease over, takeover, acquire', '14'],
    check: async (harness) => {
      const store = await harness.open()
      const lost = claimOn('left half way', { leaseMs: 1500 })
      await acquires(store, lost)
      await store.renew(leaseOf(lost), { leaseMs: 1500, progress: bytes('half') })
      await harness.advance(2000)
      const taker = claimOn('left half way', { takeover: true })
      sameBytes((await acquires(store, taker)).progress, bytes('half'))
      await store.renew(leaseOf(taker), { leaseMs: long })
      sameBytes(inState(await store.read('left half way'), 'in_flight').progress, bytes('half'))
    },
  },
  {
    name: 'progress comes back byte by byte, and an empty one is one',
    points: ['14'],
    check: async (harness) => {
      const store = await harness.open()
      for (const [recordKey, expected] of [
        ['binary progress', everyByte],
        ['empty progress', new Uint8Array()],
      ] as const) {
        const holder = claimOn(recordKey)
        await acquires(store, holder)
        await store.renew(leaseOf(holder), { leaseMs: long, progress: expected })
        sameBytes(inState(await store.read(recordKey), 'in_flight').progress, expected)
        await store.fail(leaseOf(holder), { inDoubt: false, retentionMs: long })
        sameBytes((await acquires(store, claimOn(recordKey))).progress, expected)
      }
    },
  },
]
