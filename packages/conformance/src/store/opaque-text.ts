import assert from 'node:assert/strict'
import { sameBytes } from './compare.js'
import type { StoreGuarantee } from './harness.js'
import { acquires, bytes, claimOn, finds, inState, leaseOf, long } from './scene.js'

const texts = [
  'a',
  'A',
  'a ',
  ' a',
  'ab',
  'a:b',
  'a*',
  'a%',
  'a_',
  "a'--",
  '{a}',
  '{a}b',
  'a\n',
  '__proto__',
  'ключ',
  '鍵🔑',
  // The same letter, composed and not.
  '\u00e9',
  'e\u0301',
  'x'.repeat(512),
  'x'.repeat(511),
  `${'x'.repeat(511)}y`,
]

/** Keys, fingerprints and tokens are text that a store compares and does not read. */
export const opaqueText: readonly StoreGuarantee[] = [
  {
    name: 'record keys that differ are different records',
    points: ['4', '1: absent, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      for (const recordKey of texts) {
        const holder = claimOn(recordKey)
        await acquires(store, holder)
        await store.complete(leaseOf(holder), { result: bytes(recordKey), retentionMs: long })
      }
      for (const recordKey of texts)
        sameBytes(inState(await store.read(recordKey), 'completed').result, bytes(recordKey))
    },
  },
  {
    name: 'fingerprints that differ are different',
    points: ['1: other fingerprint, acquire'],
    check: async (harness) => {
      const store = await harness.open()
      for (const [index, fingerprint] of [...texts, 'y'.repeat(4096)].entries()) {
        const recordKey = `fingerprint ${index}`
        const holder = claimOn(recordKey, { fingerprint })
        await acquires(store, holder)
        await store.fail(leaseOf(holder), { inDoubt: false, retentionMs: long })
        for (const other of texts.filter((text) => text !== fingerprint))
          await finds(store, claimOn(recordKey, { fingerprint: other, takeover: true }))
        const record = await finds(store, claimOn(recordKey, { fingerprint: `${fingerprint}.` }))
        assert.equal(record.fingerprint, fingerprint)
        await acquires(store, claimOn(recordKey, { fingerprint }))
      }
    },
  },
  {
    name: 'tokens that differ are different holders',
    points: ['1: present, other token, any write', '12'],
    check: async (harness) => {
      const store = await harness.open()
      for (const [index, token] of texts.entries()) {
        const holder = claimOn(`token ${index}`, { token })
        await acquires(store, holder)
        for (const other of [...texts.filter((text) => text !== token), `${token}.`]) {
          assert.equal(await store.release({ ...leaseOf(holder), token: other }), 'stale')
          await finds(store, { ...holder, token: other })
        }
        assert.equal(await store.release(leaseOf(holder)), 'ok')
      }
    },
  },
  {
    name: 'records are independent, even under one token and one fingerprint',
    points: ['4'],
    check: async (harness) => {
      const store = await harness.open()
      const claims = ['one', 'two', 'three', 'four', 'five'].map((recordKey) =>
        claimOn(recordKey, { token: 'shared' }),
      )
      for (const claim of claims) assert.equal((await acquires(store, claim)).attempt, 1)
      const lease = (recordKey: string) => ({ recordKey, token: 'shared' })
      await store.complete(lease('one'), { result: bytes('result'), retentionMs: long })
      await store.fail(lease('two'), { inDoubt: true, retentionMs: long })
      await store.release(lease('three'))
      await store.renew(lease('four'), { leaseMs: 9500, progress: bytes('four') })
      const records = await Promise.all(claims.map(({ recordKey }) => store.read(recordKey)))
      assert.deepEqual(
        records.map((record) => record?.state),
        ['completed', 'failed', undefined, 'in_flight', 'in_flight'],
      )
      sameBytes(inState(records[4], 'in_flight').progress, undefined)
    },
  },
]
