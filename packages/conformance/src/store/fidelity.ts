import assert from 'node:assert/strict'
import type { IdempotencyStore } from '@retrysafe/core'
import { sameBytes } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, finds, inState, leaseOf, long } from './scene.js'

/** All 256 values of a byte. */
export const everyByte: Uint8Array = Uint8Array.from({ length: 256 }, (_, value) => value)

const keeps = async (store: IdempotencyStore, recordKey: string, result: Uint8Array) => {
  const holder = claimOn(recordKey)
  await acquires(store, holder)
  assert.equal(await store.complete(leaseOf(holder), { result, retentionMs: long }), 'ok')
  sameBytes(inState(await store.read(recordKey), 'completed').result, result, 'read')
  sameBytes(inState(await finds(store, claimOn(recordKey)), 'completed').result, result, 'replay')
}

/** A store keeps bytes, and keeps them to itself. */
export const fidelity: readonly StoreGuarantee[] = [
  {
    name: 'a result comes back byte by byte, whatever the bytes',
    points: ['1: in_flight, own token, complete', '16'],
    check: async (harness) => keeps(await harness.open(), 'binary', everyByte),
  },
  {
    name: 'an empty result is one',
    points: ['1: in_flight, own token, complete', '16'],
    check: async (harness) => keeps(await harness.open(), 'empty', new Uint8Array()),
  },
  {
    name: 'a result of one mebibyte comes back whole',
    points: ['1: in_flight, own token, complete', '16'],
    check: async (harness) => {
      const large = new Uint8Array(1024 * 1024).map((_, index) => (index * 31) % 251)
      await keeps(await harness.open(), 'large', large)
    },
  },
  {
    name: 'arrays that were handed in may be used again',
    points: ['1: a completed result never changes', '16'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('own bytes')
      // A Buffer, whose slice() shares memory where that of a Uint8Array copies.
      const shared = Buffer.from('progress')
      await acquires(store, holder)
      await store.renew(leaseOf(holder), { leaseMs: long, progress: shared })
      shared.fill(0)
      sameBytes(inState(await store.read('own bytes'), 'in_flight').progress, bytes('progress'))
      const result = Buffer.from('result')
      await store.complete(leaseOf(holder), { result, retentionMs: long })
      result.fill(0)
      sameBytes(inState(await store.read('own bytes'), 'completed').result, bytes('result'))
    },
  },
  {
    name: 'arrays that were handed out may be written to',
    points: ['1: a completed result never changes', '16'],
    check: async (harness) => {
      const store = await harness.open()
      const holder = claimOn('lent bytes')
      await acquires(store, holder)
      await store.renew(leaseOf(holder), { leaseMs: long, progress: bytes('progress') })
      inState(await store.read('lent bytes'), 'in_flight').progress?.fill(0)
      sameBytes((await acquires(store, holder)).progress, bytes('progress'))
      await store.complete(leaseOf(holder), { result: bytes('result'), retentionMs: long })
      inState(await store.read('lent bytes'), 'completed').result.fill(0)
      const replayed = await finds(store, claimOn('lent bytes'))
      inState(replayed, 'completed').result.fill(0)
      sameBytes(inState(await store.read('lent bytes'), 'completed').result, bytes('result'))
    },
  },
]
